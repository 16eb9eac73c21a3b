// Which way a process has taken: the flows, gateways and events between its tasks, as far as these tell it for certain.

/**
 * The ids of all that was passed. `nodes` are the flow nodes of the diagram's process by id, each with `outgoing` as
 * `[flow, target]`; `steps` are pairs of elements of which the second came after the first (null for the beginning),
 * and `visited` what is known to have been reached.
 */
export function takenPath({ nodes, starts, steps, visited }) {
  const incoming = new Map();
  for (const [id, { outgoing }] of nodes) for (const [flow, target] of outgoing) push(incoming, target, [flow, id]);
  const isSilent = (id) => nodes.get(id)?.silent === true;
  const taken = new Set(visited);
  for (const [from, to] of steps) {
    const sources = from === null ? starts : [from];
    for (const source of sources) for (const id of between({ nodes, incoming, isSilent, source, target: to })) taken.add(id);
  }
  return taken;
}

function push(map, key, value) {
  if (map.has(key)) map.get(key).push(value);
  else map.set(key, [value]);
}

/** What lies on every way from one node to another that passes no task. */
function between({ nodes, incoming, isSilent, source, target }) {
  const ahead = reach(source, (id) => (nodes.get(id)?.outgoing ?? []).map(([, next]) => next), isSilent);
  const behind = reach(target, (id) => (incoming.get(id) ?? []).map(([, before]) => before), isSilent);
  const isOnTheWay = (id) => id === source || id === target || isSilent(id);
  const inside = (id) => ahead.has(id) && behind.has(id) && isOnTheWay(id);
  if (!inside(target) || !inside(source)) return [];
  const found = isSilent(source) ? [source] : [];
  const walk = (start, end, waysOf) => {
    const seen = new Set();
    let at = start;
    while (at !== end && !seen.has(at)) {
      seen.add(at);
      const ways = waysOf(at).filter(([, next]) => inside(next));
      if (ways.length !== 1) return;
      found.push(ways[0][0], ways[0][1]);
      at = ways[0][1];
    }
  };
  walk(source, target, (id) => nodes.get(id)?.outgoing ?? []);
  walk(target, source, (id) => incoming.get(id) ?? []);
  return found;
}

function reach(start, next, isSilent) {
  const found = new Set([start]);
  const open = [start];
  while (open.length > 0) {
    const at = open.pop();
    if (at !== start && !isSilent(at)) continue;
    for (const id of next(at)) {
      if (found.has(id)) continue;
      found.add(id);
      open.push(id);
    }
  }
  return found;
}

/** Activities that leave no task behind: what they do is done on the way. */
const PASSED = ["bpmn:ManualTask", "bpmn:Task", "bpmn:ScriptTask"];

function isPassed(object) {
  if (object.get?.("camunda:topic")) return false;
  const decides = object.get?.("camunda:decisionRef") || object.extensionElements?.values?.some(({ $type }) => /calledDecision/.test($type));
  return PASSED.includes(object.$type) || Boolean(decides);
}

const TASKS = /Task$|^bpmn:CallActivity$|^bpmn:SubProcess$|^bpmn:Transaction$|^bpmn:AdHocSubProcess$/;

/** The nodes of a drawn process, and those at which it begins. */
export function nodesOf(elements) {
  const nodes = new Map();
  for (const { businessObject: object, outgoing } of elements) {
    if (!object?.$instanceOf?.("bpmn:FlowNode") || nodes.has(object.id)) continue;
    const flows = outgoing.filter(({ businessObject }) => businessObject.$instanceOf("bpmn:SequenceFlow"));
    nodes.set(object.id, {
      silent: !TASKS.test(object.$type) || isPassed(object),
      outgoing: flows.map(({ businessObject, target }) => [businessObject.id, target.businessObject.id]),
    });
  }
  const targets = new Set([...nodes.values()].flatMap(({ outgoing }) => outgoing.map(([, target]) => target)));
  return { nodes, starts: [...nodes.keys()].filter((id) => !targets.has(id)) };
}

/** The way of a process through the diagram, by the counts of its tasks and the elements that stand for these. */
export function wayOf({ elements, counts, visited, isOver, elementOf }) {
  const { nodes, starts } = nodesOf(elements);
  const forward = counts.filter(({ kind }) => kind === "start");
  const steps = new Map();
  const causes = new Set();
  for (const alike of forward) {
    const to = elementOf(alike);
    if (to === null) continue;
    const froms = alike.after.map((place) => elementOf(counts[place])).filter((from) => from !== null);
    froms.forEach((from) => causes.add(from));
    for (const from of alike.begins ? [null, ...froms] : froms) steps.set(`${from}>${to}`, [from, to]);
  }
  const all = [...steps.values()];
  const reached = new Set([...forward.map(elementOf).filter((id) => id !== null), ...visited]);
  if (isOver) {
    const ends = [...nodes].filter(([, { silent, outgoing }]) => silent && outgoing.length === 0).map(([id]) => id);
    // A decision on the way to a task is no last thing, though no task names it as its cause.
    const led = (id) => nodes.get(id).silent && all.some(([, to]) => leads(nodes, id, to));
    const last = [...reached].filter((id) => nodes.has(id) && !causes.has(id) && !led(id));
    for (const from of last.length > 0 ? last : [null]) {
      const sources = from === null ? starts : [from];
      const nearest = ends.filter((end) => sources.some((source) => leads(nodes, source, end)));
      if (nearest.length === 1) all.push([from, nearest[0]]);
    }
  }
  return takenPath({ nodes, starts, steps: all, visited: reached });
}

function leads(nodes, source, end) {
  const isSilent = (id) => nodes.get(id)?.silent === true;
  return reach(source, (id) => (nodes.get(id)?.outgoing ?? []).map(([, next]) => next), isSilent).has(end);
}
