import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandPath, type KubeObject } from '../../../tools/helm.ts';
import { freePort } from '../../support/program.ts';
import { Discovery, labelName, POD } from './discovery.ts';
import { eventually } from './run.ts';

const COMMAND = commandPath('prometheus');

/** Why there is no Prometheus here; `undefined` if there is one. */
export const noPrometheus: string | undefined = COMMAND
  ? undefined
  : "there is no prometheus on PATH; it is Debian's package of that name";

/** One series of an answer, its values in the order of time. */
export type Series = {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly number[];
};

type Answer = {
  readonly status: string;
  readonly error?: string;
  readonly data: unknown;
};
type Result = {
  readonly metric: Record<string, string>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
};

/** A Prometheus on this host, with a folder of its own. */
export class Prometheus implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'longshore-prometheus-'));
  readonly #port: number;
  #child: ChildProcess | undefined;
  #discovery: Discovery | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  /**
   * @param monitors PodMonitors of named namespaces, whose pods are scraped
   * @param rules the spec of a PrometheusRule
   */
  static async start(monitors: readonly KubeObject[], rules: object): Promise<Prometheus> {
    const made = new Prometheus(await freePort());
    made.#write('rules.yaml', rules);
    made.#write('prometheus.yaml', {
      global: { evaluation_interval: '2s' },
      rule_files: ['rules.yaml'],
      scrape_configs: monitors.flatMap((monitor) => scrapeConfigs(monitor)),
    });
    const namespaces = monitors.flatMap(({ spec }) => spec.namespaceSelector.matchNames ?? []);
    made.#discovery = new Discovery(join(made.#folder, PODS), [...new Set<string>(namespaces)]);
    const log = openSync(join(made.#folder, 'log'), 'a');
    const child = spawn(
      COMMAND ?? '',
      [
        `--config.file=${join(made.#folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(made.#folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${made.#port}`,
      ],
      { stdio: ['ignore', log, log] },
    );
    made.#child = child;
    // A test that ends in the middle leaves nothing running.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    await eventually('Prometheus', async () => {
      if (child.exitCode !== null) throw new Error(readFileSync(join(made.#folder, 'log'), 'utf8'));
      return (await fetch(`http://127.0.0.1:${made.#port}/-/ready`)).ok;
    });
    return made;
  }

  /** What a query gives now. @throws with what Prometheus says against it */
  async now(expr: string): Promise<readonly Series[]> {
    return series(await this.api('query', { query: expr }));
  }

  /** What it gave in every second from then until now. */
  async since(ms: number, expr: string): Promise<readonly Series[]> {
    const [start, end] = [ms / 1000, Date.now() / 1000].map(String) as [string, string];
    return series(await this.api('query_range', { query: expr, start, end, step: '1' }));
  }

  /** `data` of an answer of its HTTP API. */
  async api(path: string, parameters: Record<string, string> = {}): Promise<unknown> {
    const query = new URLSearchParams(parameters);
    const response = await fetch(`http://127.0.0.1:${this.#port}/api/v1/${path}?${query}`);
    const { status, error, data } = (await response.json()) as Answer;
    if (status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${error}`);
    return data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#discovery?.[Symbol.asyncDispose]();
    if (this.#child && this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill();
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** JSON is YAML, too. */
  #write(name: string, value: object): void {
    writeFileSync(join(this.#folder, name), JSON.stringify(value));
  }
}

/** What is no number stands for nothing: 0 / 0, a quantile of no observations. */
function series(data: unknown): readonly Series[] {
  return (data as { result: Result[] }).result
    .map(({ metric, value, values = value ? [value] : [] }) => ({
      labels: metric,
      values: values.map(([, text]) => Number(text)).filter((each) => !Number.isNaN(each)),
    }))
    .filter(({ values }) => values.length > 0);
}

type Relabeling = Record<string, unknown>;
type Endpoint = {
  readonly port: string;
  readonly path: string;
  readonly interval: string;
  readonly honorLabels?: boolean;
  readonly relabelings?: readonly Relabeling[];
  readonly metricRelabelings?: readonly Relabeling[];
};

/** Where it finds pods. */
const PODS = 'pods.json';

/** What the Prometheus operator makes of a PodMonitor, in its order. */
function scrapeConfigs({ metadata, spec }: KubeObject): object[] {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector as {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string }[];
  };
  const name = `${metadata.namespace}/${metadata.name}`;
  return (spec.podMetricsEndpoints as Endpoint[]).map((endpoint, i) => ({
    job_name: `podMonitor/${name}/${i}`,
    honor_labels: endpoint.honorLabels ?? false,
    scrape_interval: endpoint.interval,
    scrape_timeout: endpoint.interval,
    metrics_path: endpoint.path,
    file_sd_configs: [{ files: [PODS] }],
    relabel_configs: [
      { source_labels: [`${POD}_phase`], regex: '(Failed|Succeeded)', action: 'drop' },
      ...Object.entries(matchLabels).map(([key, value]) => ({
        source_labels: [`${POD}_label_${labelName(key)}`, `${POD}_labelpresent_${labelName(key)}`],
        regex: `(${value});true`,
        action: 'keep',
      })),
      ...matchExpressions.map(({ key, operator }) => {
        if (operator !== 'Exists') throw new Error(`a selector with ${operator}`);
        return keep(`${POD}_labelpresent_${labelName(key)}`, 'true');
      }),
      keep(`${POD}_container_port_name`, endpoint.port),
      copy('__meta_kubernetes_namespace', 'namespace'),
      copy(`${POD}_container_name`, 'container'),
      copy(`${POD}_name`, 'pod'),
      { target_label: 'job', replacement: name },
      ...(spec.jobLabel
        ? [{ ...copy(`${POD}_label_${labelName(spec.jobLabel)}`, 'job'), regex: '(.+)' }]
        : []),
      { target_label: 'endpoint', replacement: endpoint.port },
      ...(endpoint.relabelings ?? []).map(snake),
    ],
    metric_relabel_configs: (endpoint.metricRelabelings ?? []).map(snake),
  }));
}

const keep = (from: string, regex: string) => ({ source_labels: [from], regex, action: 'keep' });
const copy = (from: string, to: string) => ({ source_labels: [from], target_label: to });

/** `sourceLabels` of Kubernetes is `source_labels` of Prometheus. */
function snake(relabeling: Relabeling): Relabeling {
  return Object.fromEntries(
    Object.entries(relabeling).map(([key, value]) => [
      key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
