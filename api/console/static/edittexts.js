// What the modeler says, in the console's language.

import { spoken } from "./language.js";

/** A module of the modeler that translates; `published` is the translation that others have made. */
export function translation(published) {
  const words = spoken() === "zh" ? { ...published, ...MORE_ZH } : {};
  const word = (value) => words[value] ?? value;
  const translate = (template, values = {}) =>
    word(template).replace(/\{([^}]+)\}/g, (_, name) => word(values[name] ?? `{${name}}`));
  return { translate: ["value", translate] };
}

/** What the modeler says and the published translation leaves out. */
const MORE_ZH = {
  "Append element": "追加元素",
  "Create element": "创建元素",
  "Change element": "更改元素",
  "Search": "搜索",
  "Search in diagram": "在图中搜索",
  "Stones": "Stone",
  "Templates": "模板",
  "Toggle minimap": "切换小地图",
  "Open minimap": "打开小地图",
  "Close minimap": "关闭小地图",
  "Set color": "设置颜色",
  "Default": "默认",
  "Data": "数据",
  "Tasks": "任务",
  "Gateways": "网关",
  "Events": "事件",
  "Sub-processes": "子流程",
  "Participants": "参与者",
  "Append text annotation": "追加文本注释",
  "Create pool/participant": "创建池/参与者",
  "Create expanded sub-process": "创建展开的子流程",
  "Create data object reference": "创建数据对象引用",
  "Create data store reference": "创建数据存储引用",
  "Create group": "创建分组",
  "Delete": "删除",
};
