// A provider of OpenID Connect as its makers' own library makes one, on a port of the loopback that it prints.

import { createServer } from "node:http";

import Provider from "oidc-provider";

const [redirect, ...own] = process.argv.slice(2);
const people = {
  ann: { groups: ["ops", "Key Accounts"], team: "north" },
  bob: { groups: ["buyers"] },
  eve: { groups: "everything at once", team: ["north"] },
};
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = {
    client_id: "riverstone",
    client_secret: "a secret of the client",
    redirect_uris: [redirect],
    post_logout_redirect_uris: [redirect.replace("/session/return", "/console/")],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    ...JSON.parse(own[0] ?? "{}"),
  };
  if (client.client_secret === null) delete client.client_secret;
  const provider = new Provider(issuer, {
    clients: [client],
    claims: { openid: ["sub"], profile: ["preferred_username", "groups", "team"] },
    conformIdTokenClaims: (own[1] ?? "yes") === "yes",
    pkce: { required: () => true },
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, ...people[id] }),
    }),
    features: {
      devInteractions: { enabled: false },
      // The page of its makers asks other hosts for its looks.
      rpInitiatedLogout: {
        logoutSource: (context, form) => {
          const button = '<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>';
          context.body = `<!doctype html><title>Sign out</title>${form}${button}`;
        },
      },
    },
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  });
  const serve = provider.callback();
  server.on("request", async (request, response) => {
    // Whoever comes to sign in is at once whom the cookie `person` names, and agrees to everything.
    if (!request.url.startsWith("/interaction/")) return serve(request, response);
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    const person = /person=(\w+)/.exec(request.headers.cookie)?.[1];
    if (person === undefined) {
      const refused = { error: "access_denied", error_description: "somebody has changed their mind" };
      return provider.interactionFinished(request, response, refused);
    }
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, { login: { accountId: person } });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope("openid profile");
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  });
  console.log(issuer);
});
