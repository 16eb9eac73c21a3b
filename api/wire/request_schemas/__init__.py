"""What requests may hold, as schemas of marshmallow: a module for each kind of thing."""
