// helm test: opens a WebSocket to a server and waits for its echo. Without ADDRESS it makes the server first, waits
// until the operator says that it is ready, and removes it in the end.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const { ADDRESS, SERVER = '{"metadata":{}}', TIMEOUT_SECONDS } = process.env;
const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port } = process.env;
const until = Date.now() + Number(TIMEOUT_SECONDS) * 1000;
const server = JSON.parse(SERVER);
const { name, namespace } = server.metadata;

async function api(method, path, body) {
  const address = host.includes(':') ? `[${host}]` : host;
  const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
  const response = await fetch(
    `https://${address}:${port}/apis/longshore.dev/v1alpha1/namespaces/${namespace}/socketservers${path}`,
    {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    },
  );
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.message), { status: response.status });
  return answer;
}

/** One that an earlier test has left does as well. */
const make = () =>
  api('POST', '', server).catch((error) => {
    if (error.status !== 409) throw error;
  });

async function ready() {
  let said;
  while (Date.now() < until) {
    const { metadata, status = {} } = await api('GET', `/${name}`);
    const is = status.conditions?.find(({ type }) => type === 'Ready');
    const text = is?.message ?? 'the operator has not looked at it yet';
    if (text !== said) console.log(`${name}: ${(said = text)}`);
    if (is?.status === 'True' && status.observedGeneration === metadata.generation) return;
    await pause(1000);
  }
  throw new Error(`SocketServer ${name} was not ready after ${TIMEOUT_SECONDS} s: ${said}`);
}

function echo(address) {
  const text = `hello ${Math.random()}`;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    const fail = (why) => {
      socket.close();
      reject(new Error(`${address}: ${why}`));
    };
    const timer = setTimeout(fail, 5000, 'no echo within 5 s');
    socket.onopen = () => socket.send(text);
    socket.onerror = () => fail('no connection');
    socket.onmessage = ({ data }) => {
      clearTimeout(timer);
      socket.close();
      if (data === text) resolve();
      else reject(new Error(`${address}: sent "${text}", got "${data}"`));
    };
  });
}

/** A Service that has just been made is not everywhere at once. */
async function echoSoon(address) {
  for (;;) {
    try {
      return await echo(address);
    } catch (error) {
      if (Date.now() > until) throw error;
      await pause(1000);
    }
  }
}

try {
  if (!ADDRESS) {
    await make();
    await ready();
  }
  const address = ADDRESS || `ws://${name}.${namespace}:2346`;
  await echoSoon(address);
  console.log(`${address} echoes`);
} catch ({ message }) {
  console.error(message);
  process.exitCode = 1;
} finally {
  if (!ADDRESS) await api('DELETE', `/${name}`).catch(({ message }) => console.error(message));
}
