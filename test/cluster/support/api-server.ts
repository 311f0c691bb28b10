import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Client } from '../../../operator/kube/client.ts';
import { Credentials } from '../../../operator/kube/credentials.ts';
import { resources } from '../../../operator/kube/resources.ts';
import { freePort } from '../../support/program.ts';
import { eventually } from './run.ts';

const BIN = join(process.env['CLUSTER_HOME'] || '/var/lib/longshore-cluster', 'bin');
const UP_MS = 120_000;

/** Why none can be started here; `undefined` if one can. */
export const noApiServer: string | undefined = ['etcd', 'kube-apiserver'].every((name) =>
  existsSync(join(BIN, name)),
)
  ? undefined
  : 'kube-apiserver and etcd are not built; test/cluster/cluster build makes them';

/**
 * An API server and its etcd of a test's own, without nodes and controllers: one that can be killed. It knows `admin`,
 * `operator` and `nobody`, whose tokens are their names.
 */
export class ApiServer implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'longshore-api-'));
  readonly port: number;
  readonly #etcdPort: number;
  readonly #clients = new Set<Client>();
  #etcd: ChildProcess | undefined;
  #server: ChildProcess | undefined;

  private constructor(port: number, etcdPort: number) {
    this.port = port;
    this.#etcdPort = etcdPort;
  }

  static async start(): Promise<ApiServer> {
    const server = new ApiServer(await freePort(), await freePort());
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    writeFileSync(server.#file('sa.key'), privateKey);
    writeFileSync(
      server.#file('tokens.csv'),
      'admin,admin,admin,system:masters\noperator,operator,operator,system:masters\nnobody,nobody,nobody\n',
    );
    writeFileSync(server.#file('audit.json'), JSON.stringify(AUDIT));
    server.#etcd = server.#run('etcd', [
      `--data-dir=${server.#file('etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=http://127.0.0.1:${server.#etcdPort}`,
      `--advertise-client-urls=http://127.0.0.1:${server.#etcdPort}`,
      `--listen-peer-urls=http://127.0.0.1:${await freePort()}`,
    ]);
    await server.up();
    return server;
  }

  /** Starts the API server and waits until it answers. */
  async up(): Promise<void> {
    this.#server = this.#run('kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${this.port}`,
      `--cert-dir=${this.#file('certs')}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=RBAC',
      `--token-auth-file=${this.#file('tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${this.#file('sa.key')}`,
      `--service-account-signing-key-file=${this.#file('sa.key')}`,
      `--audit-policy-file=${this.#file('audit.json')}`,
      `--audit-log-path=${this.#file('audit.log')}`,
    ]);
    const ready = async () => {
      if (this.#server?.exitCode !== null) throw new Error(`it ended:\n${this.log.slice(-2000)}`);
      const client = this.client();
      await client.get({ resource: resources.Namespace, name: 'default' });
      await client.get({
        resource: {
          ...resources.ConfigMap,
          plural: 'clusterroles',
          group: RBAC,
          namespaced: false,
        },
        name: 'system:public-info-viewer',
      });
      return true;
    };
    await eventually('an API server', ready, UP_MS);
  }

  /** What a pod has in its environment and its service account's folder, of the user `operator`. */
  podEnvironment(): Record<string, string> {
    const folder = this.#file('account');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'token'), 'operator');
    copyFileSync(join(this.#file('certs'), 'apiserver.crt'), join(folder, 'ca.crt'));
    return {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(this.port),
      LONGSHORE_SERVICE_ACCOUNT: folder,
    };
  }

  /** Requests of a user since the beginning; a watch counts when it begins. */
  requestsOf(user: string): AuditEvent[] {
    return readFileSync(this.#file('audit.log'), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.user.username === user)
      .filter(({ verb, stage }) => verb !== 'watch' || stage === 'ResponseStarted');
  }

  /** As a machine that fails. */
  async kill(): Promise<void> {
    await end(this.#server);
  }

  get log(): string {
    return readFileSync(this.#file('kube-apiserver.log'), 'utf8');
  }

  /**
   * A kubeconfig.
   *
   * @param user fields of its user
   * @param port of a proxy before it
   */
  kubeconfig(user: Readonly<Record<string, string>>, port: number = this.port): string {
    const ca = readFileSync(join(this.#file('certs'), 'apiserver.crt')).toString('base64');
    const server = `https://127.0.0.1:${port}`;
    return JSON.stringify({
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': ca } }],
      users: [{ name: 'test', user }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    });
  }

  /** @param user fields of its user in a kubeconfig */
  client(user: Readonly<Record<string, string>> = { token: 'admin' }, port?: number): Client {
    const client = new Client(
      new Credentials(() => {
        const config = new KubeConfig();
        config.loadFromString(this.kubeconfig(user, port));
        return config;
      }),
    );
    this.#clients.add(client);
    return client;
  }

  /** Server-side apply by somebody else, of anything. */
  async apply(path: string, object: object): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    request(
      `https://127.0.0.1:${this.port}${path}?fieldManager=somebody&force=true`,
      {
        method: 'PATCH',
        rejectUnauthorized: false,
        headers: { authorization: 'Bearer admin', 'content-type': 'application/apply-patch+yaml' },
      },
      (response) => resolve(response.resume().statusCode ?? 0),
    )
      .on('error', reject)
      .end(JSON.stringify(object));
    const status = await promise;
    if (status >= 300) throw new Error(`PATCH ${path}: ${status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await end(this.#server);
    await end(this.#etcd);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.folder, name);
  }

  #run(name: string, args: string[]): ChildProcess {
    const log = openSync(this.#file(`${name}.log`), 'a');
    const child = spawn(join(BIN, name), args, { stdio: ['ignore', log, log] });
    // A test that ends in the middle leaves nothing running.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return child;
  }
}

/** One line of the audit log. */
export type AuditEvent = {
  readonly verb: string;
  readonly stage: string;
  readonly user: { readonly username: string };
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number };
};

const AUDIT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

const RBAC = 'rbac.authorization.k8s.io';

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
