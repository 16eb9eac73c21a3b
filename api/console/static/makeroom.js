// What is put onto a flow stands between its ends and not over them: what comes after moves to the right.

const APART = 50;
const LEAST = 25;
const BELOW = 30;
/** After the modeler has led the flow through what was put onto it. */
const LATE = 500;

const endOf = ({ source }) => source.x + source.width;
/** A flow that leads back or down has no room to make. */
const leadsRight = (flow) => flow.target.x >= endOf(flow);
const leadsBack = ({ source, target }) => target.x + target.width <= source.x;

export class MakeRoom {
  static $inject = ["canvas", "eventBus", "modeling", "spaceTool"];

  constructor(canvas, eventBus, modeling, spaceTool) {
    eventBus.on("commandStack.shape.create.preExecuted", ({ context }) => {
      const { shape, targetFlow: flow, position } = context;
      if (!flow) return;
      context.isRow = leadsRight(flow);
      if (!context.isRow) return;
      const end = endOf(flow);
      const gap = flow.target.x - end;
      if (gap >= shape.width + 2 * LEAST) return;
      const delta = shape.width + 2 * APART - gap;
      const all = withChildren(canvas.getRootElement().children);
      const { movingShapes, resizingShapes } = spaceTool.calculateAdjustments(all, "x", delta, end + 1);
      spaceTool.makeSpace(movingShapes, resizingShapes, { x: delta, y: 0 }, "e", end + 1);
      context.position = { ...position, x: end + APART + (position.width === undefined ? shape.width / 2 : 0) };
    });
    eventBus.on("commandStack.shape.create.postExecuted", LATE, ({ context }) => {
      const { shape, isRow } = context;
      if (isRow !== false) return;
      for (const each of [...shape.incoming, ...shape.outgoing]) {
        if (leadsBack(each)) modeling.updateWaypoints(each, below(each));
        else modeling.layoutConnection(each, { waypoints: [] });
      }
    });
  }
}

/** The way back under all that stands between. */
function below({ source, target, parent }) {
  const [left, right] = [target.x, endOf({ source })];
  const passed = parent.children.filter((each) => !each.waypoints && each.x < right && each.x + each.width > left);
  const y = Math.max(...passed.map((each) => each.y + each.height)) + BELOW;
  const [from, to] = [source, target].map((each) => ({ x: each.x + each.width / 2, y: each.y + each.height }));
  return [from, { x: from.x, y }, { x: to.x, y }, to];
}

function withChildren(shapes) {
  return shapes.flatMap((shape) => [shape, ...withChildren(shape.children ?? [])]);
}
