// A flow that is drawn straight through what stands between its ends goes over it instead: nobody would see it.

const ABOVE = 30;
const APART = 20;

/** What a straight flow from left to right, or back, would run through. */
function between({ source, target, waypoints, parent }) {
  const [from, to] = [waypoints[0], waypoints.at(-1)];
  if (waypoints.length !== 2 || Math.abs(from.y - to.y) > 1) return [];
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const isInTheWay = (shape) =>
    shape !== source && shape !== target && !shape.waypoints && !shape.labelTarget &&
    shape.x < right && shape.x + shape.width > left && shape.y < from.y && shape.y + shape.height > from.y;
  return parent.children.filter(isInTheWay);
}

export class GoAround {
  static $inject = ["eventBus", "modeling"];

  constructor(eventBus, modeling) {
    eventBus.on("commandStack.connection.create.postExecuted", ({ context }) => {
      const { connection } = context;
      const { source, target, parent } = connection;
      const shapes = connection.waypoints && parent ? between(connection) : [];
      if (shapes.length === 0) return;
      let y = Math.min(...[source, target, ...shapes].map((shape) => shape.y)) - ABOVE;
      const taken = parent.children.flatMap((each) => (each === connection ? [] : (each.waypoints ?? [])));
      while (taken.some((point) => Math.abs(point.y - y) < APART / 2)) y -= APART;
      const [from, to] = [source, target].map((shape) => ({ x: shape.x + shape.width / 2, y: shape.y }));
      modeling.updateWaypoints(connection, [from, { x: from.x, y }, { x: to.x, y }, to]);
    });
  }
}
