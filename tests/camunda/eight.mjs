// Workers of Camunda 8 with the two clients of its makers: what they get, a line of JSON each.

import { Camunda8 } from "@camunda8/sdk";

const [address, which, types, awaited] = process.argv.slice(2);
const ask = { processDefinitionId: awaited, variables: { n: 21 }, awaitCompletion: true, requestTimeout: 30000 };
const say = (what) => console.log(JSON.stringify(what));

const handler = async (job) => {
  say({ job: job.jobKey, type: job.type, retries: job.retries, variables: job.variables, headers: job.customHeaders });
  if (job.type === "flaky") return job.fail({ errorMessage: "no network", retries: job.retries - 1, retryBackOff: 50 });
  if (job.type === "bounce") return job.error({ errorCode: "bounced", errorMessage: "no box", variables: { box: "full" } });
  return job.complete({ done: true, list: [1] });
};

if (which === "sdk") {
  const camunda = new Camunda8({
    ZEEBE_REST_ADDRESS: address,
    CAMUNDA_AUTH_STRATEGY: "NONE",
    CAMUNDA_OAUTH_DISABLED: true,
    CAMUNDA_LOG_LEVEL: "none",
  });
  const client = camunda.getCamundaRestClient();
  const topology = await client.getTopology();
  say({ gateway: topology.gatewayVersion });
  if (awaited) say({ ended: (await client.createProcessInstanceWithResult(ask)).variables });
  for (const type of types.split(",").filter(Boolean)) {
    client.createJobWorker({
      type, worker: "sdk", maxJobsToActivate: 5, timeout: 20000, pollIntervalMs: 50, autoStart: true, jobHandler: handler,
    });
  }
} else {
  // Version 9 needs Node.js 22.
  const api = which === "oca9" ? "orchestration-cluster-api-nine" : "@camunda8/orchestration-cluster-api";
  const { default: createCamundaClient } = await import(api);
  const client = createCamundaClient({
    config: { CAMUNDA_REST_ADDRESS: address, CAMUNDA_AUTH_STRATEGY: "NONE", CAMUNDA_SDK_LOG_LEVEL: "silent" },
  });
  const topology = await client.getTopology();
  say({ gateway: topology.gatewayVersion });
  if (awaited) say({ ended: (await client.createProcessInstance(ask)).variables });
  for (const jobType of types.split(",").filter(Boolean)) {
    client.createJobWorker({ jobType, workerName: "oca", maxParallelJobs: 5, jobTimeoutMs: 20000, jobHandler: handler });
  }
}
say({ ready: true });
