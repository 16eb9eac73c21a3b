// node modeler.cjs validate DIALECT TEMPLATES               prints what the validator finds
// node modeler.cjs apply DIALECT TEMPLATES DIAGRAM ELEMENT ID VALUES
//   applies a template to an element as a modeler does, types the values into its form, and prints the BPMN
import { readFileSync } from 'node:fs';

import { validateAll, validateAllZeebe } from '@bpmn-io/element-templates-validator';
import Modeler from 'bpmn-js-headless/lib/Modeler';
import { CloudElementTemplatesCoreModule, ElementTemplatesCoreModule } from 'bpmn-js-element-templates/core';
import camunda from 'camunda-bpmn-moddle/resources/camunda.json';
import zeebe from 'zeebe-bpmn-moddle/resources/zeebe.json';

const [ command, dialect, file, diagram, id, templateId, values ] = process.argv.slice(2);
const cloud = dialect === 'camunda8';
const templates = JSON.parse(readFileSync(file, 'utf8'));

function validate() {
  const { results } = (cloud ? validateAllZeebe : validateAll)(templates);
  console.log(JSON.stringify(results.flatMap(({ errors, warnings }) => [ ...errors || [], ...warnings || [] ])));
}

async function apply() {
  const modeler = new Modeler({
    additionalModules: [ cloud ? CloudElementTemplatesCoreModule : ElementTemplatesCoreModule ],
    moddleExtensions: cloud ? { zeebe } : { camunda }
  });
  await modeler.importXML(readFileSync(diagram, 'utf8'));
  modeler.get('eventBus').on('elementTemplates.errors', ({ errors }) => { throw errors[0]; });
  modeler.get('elementTemplatesLoader').setTemplates(templates);
  const elementTemplates = modeler.get('elementTemplates');
  const template = elementTemplates.getAll().find(each => each.id === templateId);
  const element = elementTemplates.applyTemplate(modeler.get('elementRegistry').get(id), template);
  for (const [ name, value ] of Object.entries(JSON.parse(values))) {
    const [ property, change ] = field(element.businessObject.extensionElements.values, name, value);
    modeler.get('modeling').updateModdleProperties(element, property, change);
  }
  const { xml } = await modeler.saveXML({ format: true });
  console.log(xml);
}

function field(extensions, name, value) {
  for (const extension of extensions) {
    const input = (extension.inputParameters || []).find(each => (cloud ? each.target : each.name) === name);
    if (input) {
      return [ input, cloud ? { source: value } : { value } ];
    }
    const property = (extension.values || extension.properties || []).find(each => each.name === name);
    if (property) {
      return [ property, { value } ];
    }
  }
  throw new Error(`The form has no field ${name}.`);
}

await (command === 'validate' ? validate() : apply());
