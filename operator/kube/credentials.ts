import { Agent as PlainAgent } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import { inCluster } from './in-cluster.ts';

/** How long what was read of files and commands is used again; tokens and certificates are changed under us. */
const FRESH_MS = 30_000;
/** Requests under way at the same time; the rest wait in line. Watches are not among them. */
const SOCKETS_MAX = 16;
/** Watches under way at the same time. */
const WATCHES_MAX = 256;
/** Silence after which the system asks the other end whether it is alive. */
const KEEP_ALIVE_MS = 15_000;
/** An unused connection is closed by us after this, before a load balancer forgets it. */
const IDLE_MS = 30_000;

/** All that a request to the API server needs. */
export type Access = {
  /** Where it is; may have a path. */
  readonly server: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: PlainAgent;
  readonly watchAgent: PlainAgent;
};

type Agents = Pick<Access, 'agent' | 'watchAgent'>;

/** What says where the API server is and who we are: a kubeconfig, or a pod's service account. */
export type Source = {
  getCurrentCluster(): { readonly server: string; readonly proxyUrl?: string | undefined } | null;
  /** Puts certificates, keys and headers into the options of a request. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void> | void;
};

/** Where the API server is and who we are, read again as files change. */
export class Credentials {
  readonly #load: () => Source | Promise<Source>;
  #config: Source | undefined = undefined;
  #access: Access | undefined = undefined;
  #readAt = 0;
  #reading: Promise<Access> | undefined = undefined;
  #agents: Agents | undefined = undefined;
  /** What they were made with. */
  #tls = '';

  constructor(load: () => Source | Promise<Source>) {
    this.#load = load;
  }

  /** The service account in a pod; elsewhere `$KUBECONFIG`, or the file where `kubectl` has it. */
  static ofSurroundings(): Credentials {
    return new Credentials(() => inCluster(process.env) ?? kubeconfig());
  }

  /** @throws if a file cannot be read, or a command that gives a token fails */
  async current(): Promise<Access> {
    if (this.#access && performance.now() - this.#readAt < FRESH_MS) return this.#access;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** The API server does not know us any more: everything is read again at the next request. */
  forget(): void {
    this.#config = undefined;
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  /** Cuts all connections. */
  close(): void {
    this.#agents?.agent.destroy();
    this.#agents?.watchAgent.destroy();
  }

  async #read(): Promise<Access> {
    this.#config ??= await this.#load();
    const cluster = this.#config.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig names no cluster: current-context is missing');
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { headers, auth, ca, cert, key, rejectUnauthorized, servername } = options;
    const tls = { ca, cert, key, rejectUnauthorized, servername };
    const server = new URL(cluster.server);
    this.#access = {
      server,
      headers: { ...authorization(auth), ...(headers as Record<string, string> | undefined) },
      ...this.#agentsOf(server, tls, cluster.proxyUrl ? options.agent : undefined),
    };
    this.#readAt = performance.now();
    return this.#access;
  }

  /** The same ones as before, with their open connections, for as long as the certificates are the same. */
  #agentsOf(server: URL, tls: object, proxy: RequestOptions['agent']): Agents {
    const made = JSON.stringify([server, tls]);
    if (this.#agents && made === this.#tls) return this.#agents;
    this.#tls = made;

    const given = Object.fromEntries(
      Object.entries(tls).filter(([, value]) => value !== undefined),
    );
    const options = { ...given, keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
    const Kind = server.protocol === 'https:' ? Agent : PlainAgent;
    this.#agents =
      proxy instanceof PlainAgent
        ? { agent: proxy, watchAgent: proxy }
        : {
            agent: new Kind({ ...options, maxSockets: SOCKETS_MAX, timeout: IDLE_MS }),
            watchAgent: new Kind({ ...options, maxSockets: WATCHES_MAX }),
          };
    return this.#agents;
  }
}

/** Loaded only here: it takes 90 MB of memory, and a pod has no kubeconfig. */
async function kubeconfig(): Promise<Source> {
  const { KubeConfig } = await import('@kubernetes/client-node').catch((error) => {
    const why = 'outside a cluster the package @kubernetes/client-node is needed: npm install it';
    throw new Error(why, { cause: error });
  });
  const config = new KubeConfig();
  config.loadFromDefault();
  return config as Source;
}

function authorization(auth: string | null | undefined): Record<string, string> {
  if (!auth) return {};
  return { authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
}
