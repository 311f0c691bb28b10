import { join } from 'node:path';
import type { Condition } from '../../../operator/api/meta.ts';
import type { SocketServer } from '../../../operator/api/types.ts';
import { apply, get, helm, kubectl, load, namespace } from './cluster.ts';
import { docker, image } from './docker.ts';
import { eventually, ROOT } from './run.ts';

/** Time that the smallest machine may take for anything of a few pods. */
export const LONG_MS = 240_000;

/** An operator in a namespace of its own, for the servers of that namespace alone. */
export type Operator = {
  readonly namespace: string;
  /** The image under test, in the nodes. */
  readonly image: string;
  /** Another name of the same image: an edit that changes nothing else. */
  readonly otherImage: string;
};

/** Installs one with helm, as a user does who has it for one namespace. */
export async function operator(purpose: string, ...values: string[]): Promise<Operator> {
  const here = await prepared(purpose);
  await install(here, ...values);
  return here;
}

/** A namespace, images and the definition; no operator yet. */
export async function prepared(purpose: string): Promise<Operator> {
  const name = await image();
  const other = `${name}-other`;
  await docker('tag', name, other);
  await load(name);
  await load(other);
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', 'manifests/crd.yaml');
  return { namespace: await namespace(purpose), image: name, otherImage: other };
}

/** @param values for `--set` */
export async function install(here: Operator, ...values: string[]): Promise<void> {
  await helm('install', ...release(here, ...values), '--wait', '--timeout', '120s');
}

/** What helm is told of the release, after its verb. */
export function release({ namespace: own, image: name }: Operator, ...values: string[]): string[] {
  const [repository = '', tag = ''] = name.split(':');
  return [
    ...['longshore', join(ROOT, 'charts/longshore'), '--namespace', own],
    ...['--set', `image.repository=${repository},image.tag=${tag},crds.enabled=false`],
    ...['--set', `watchNamespaces={${own}}`],
    ...values.flatMap((value) => ['--set', value]),
  ];
}

/** Takes it away; servers stay. */
export async function uninstall({ namespace: inNamespace }: Operator): Promise<void> {
  await helm('uninstall', 'longshore', '--namespace', inNamespace, '--wait');
}

/** A program that says on which pod it runs, and echoes. */
export const ECHO = `
import { hostname } from 'node:os';
import { Worker } from 'longshore';
const worker = new Worker('websocket://0.0.0.0:7272', { name: 'chat', count: 2 });
worker.onWebSocketConnect = (connection) => {
  connection.handshakeHeaders = { 'x-pod': hostname() };
};
worker.onMessage = (connection, data) =>
  connection.send(\`one \${process.pid} \${JSON.stringify(worker.config)} \${data}\`);
await Worker.runAll();
`;

/** A ConfigMap with that program, or another. */
export function code(inNamespace: string, source: string = ECHO, name = 'code'): Promise<object> {
  return apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: inNamespace },
    data: { 'app.ts': source },
  });
}

/** Applies a server that runs the code of the ConfigMap `code`, unless the spec says otherwise. */
export function server(
  { namespace: inNamespace, image: name }: Operator,
  spec: object = {},
  called = 'chat',
): Promise<SocketServer> {
  return apply({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'SocketServer',
    metadata: { name: called, namespace: inNamespace },
    spec: {
      image: name,
      code: { configMap: 'code' },
      workers: [{ name: 'chat', listen: 'websocket://0.0.0.0:7272' }],
      drain: { propagationSeconds: 2, windowSeconds: 10 },
      rollout: { minReadySeconds: 2 },
      resources: { requests: { cpu: '10m', memory: '64Mi' } },
      ...spec,
    },
  } as unknown as SocketServer);
}

/** A merge patch of a server. */
export async function edit(inNamespace: string, patch: object, called = 'chat'): Promise<void> {
  const text = JSON.stringify(patch);
  await kubectl('patch', 'lss', called, '-n', inNamespace, '--type=merge', '-p', text);
}

/** A server as it is now. */
export function seen(inNamespace: string, called = 'chat'): Promise<SocketServer> {
  return get<SocketServer>(`lss ${called}`, inNamespace);
}

export function conditionIn({ status }: SocketServer, type: string): Condition | undefined {
  return status?.conditions.find((each) => each.type === type);
}

/** Waits until its last edit is carried out. */
export function settled(
  inNamespace: string,
  called = 'chat',
  ms: number = LONG_MS,
): Promise<SocketServer> {
  return eventually(
    `${called} being ready`,
    async () => {
      const found = await seen(inNamespace, called);
      const done = found.status?.observedGeneration === found.metadata.generation;
      return done && conditionIn(found, 'Ready')?.status === 'True' && found;
    },
    ms,
  );
}

type Pods = { readonly items: readonly PodObject[] };
export type PodObject = {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIP?: string; readonly phase: string };
};

/** Pods of a server, those that are on their way out included. */
export async function podsOf(inNamespace: string, called = 'chat'): Promise<readonly PodObject[]> {
  const { items } = await get<Pods>(`pods -l longshore.dev/server=${called}`, inNamespace);
  return items.filter((pod) => !isForgotten(pod));
}

/** Whether it was deleted and has ended: its object stays for some moments until the node lets go of it. */
function isForgotten({ metadata, status }: PodObject): boolean {
  const hasEnded = status.phase === 'Succeeded' || status.phase === 'Failed';
  return metadata.deletionTimestamp !== undefined && hasEnded;
}

/** `ws://` address of a server's Service. */
export async function address(inNamespace: string, called = 'chat', port = 7272): Promise<string> {
  const service = await get<{ spec: { clusterIP: string } }>(`service ${called}`, inNamespace);
  return `ws://${service.spec.clusterIP}:${port}`;
}
