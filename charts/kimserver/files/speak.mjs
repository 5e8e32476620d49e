// What "helm test" runs: a KimCluster of one gate is made, a client asks it something, and it is removed whatever happened.

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '/app/dist/index.js';

const { CLUSTER = '', NAMESPACE = '', TIMEOUT_SECONDS = '120', KUBERNETES_SERVICE_HOST = '', KUBERNETES_SERVICE_PORT = '443' } = process.env;
const PORT = 3355;
const ECHO = 1101;
const LOOK_MS = 500;
const deadline = AbortSignal.timeout(Number(TIMEOUT_SECONDS) * 1000);

const host = KUBERNETES_SERVICE_HOST.includes(':') ? `[${KUBERNETES_SERVICE_HOST}]` : KUBERNETES_SERVICE_HOST;
const all = `https://${host}:${KUBERNETES_SERVICE_PORT}/apis/kimserver.io/v1alpha1/namespaces/${NAMESPACE}/kimclusters`;
const one = `${all}/${CLUSTER}`;
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');

const cluster = {
  apiVersion: 'kimserver.io/v1alpha1',
  kind: 'KimCluster',
  metadata: { name: CLUSTER, labels: { 'app.kubernetes.io/managed-by': 'helm-test' } },
  spec: {
    gate: { replicas: 1, workers: 1, listeners: [{ name: 'client', port: PORT, codec: 'protobuf' }], modules: ['echo'], drain: { seconds: 1 } },
    discovery: { kubernetes: {} },
  },
};

try {
  await remove(deadline);
  await ask('POST', all, deadline, cluster);
  console.log(`made the KimCluster ${NAMESPACE}/${CLUSTER}`);
  const endpoint = await ready();
  console.log(`it is ready; its clients connect to ${endpoint}`);
  await speak(endpoint);
  console.log('a client was answered through the gate');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  // also when the time is over
  await remove(AbortSignal.timeout(15_000)).then(
    () => console.log('removed it'),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}

/** Resolves with where clients connect, or fails with what the cluster says of itself. */
async function ready() {
  let last = 'nothing; does the operator run?';
  while (!deadline.aborted) {
    const { status } = await ask('GET', one, deadline);
    const is = status?.conditions?.find(({ type }) => type === 'Ready');
    if (is?.status === 'True') return `${CLUSTER}-gate.${NAMESPACE}.svc:${PORT}`;
    if (is !== undefined) last = `${is.reason}: ${is.message}`;
    await wait(LOOK_MS);
  }
  throw new Error(`${CLUSTER} was not ready within ${TIMEOUT_SECONDS} s; it says ${last}`);
}

/** The Service may be there a moment later than the gate. */
async function speak(endpoint) {
  const [name, port] = endpoint.split(':');
  let last;
  while (!deadline.aborted) {
    const client = createClient({ host: name, port: Number(port) });
    try {
      const answer = await client.request(ECHO, 'hello', { timeoutMs: 5000 });
      if (answer.code === 0 && answer.text() === 'hello') return;
      throw new Error(`the gate answered ${answer.code} ${answer.msg}`);
    } catch (error) {
      last = error;
      await wait(LOOK_MS);
    } finally {
      await client.close();
    }
  }
  throw new Error(`no client was answered within ${TIMEOUT_SECONDS} s: ${last?.message}`);
}

/** Deletes the KimCluster, and resolves when it is gone. */
async function remove(signal) {
  for (;;) {
    const answer = await send('DELETE', one, signal);
    await answer.body?.cancel();
    if (answer.status === 404) return;
    if (!answer.ok) throw new Error(`cannot remove ${CLUSTER}: the API server answers ${answer.status}`);
    await wait(LOOK_MS, undefined, { signal });
  }
}

async function ask(method, url, signal, body) {
  const answer = await send(method, url, signal, body);
  const object = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${url}: ${object.message ?? answer.status}`);
  return object;
}

function send(method, url, signal, body) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return fetch(url, { method, headers, signal, ...(body && { body: JSON.stringify(body) }) });
}
