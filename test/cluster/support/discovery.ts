import { renameSync, writeFileSync } from 'node:fs';
import { kubectl } from './cluster.ts';

/**
 * Keeps a file of targets that says of pods what Prometheus' own discovery would: Debian builds Prometheus without
 * `kubernetes_sd_configs`. Relabelings see no difference.
 */
export class Discovery implements AsyncDisposable {
  readonly #file: string;
  readonly #where: readonly string[];
  #isOver = false;
  readonly #work: Promise<void>;

  constructor(file: string, namespaces: readonly string[]) {
    this.#file = file;
    this.#where = namespaces.map((each) => `--namespace=${each}`);
    this.#work = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      // A cluster that does not answer leaves what is known.
      await this.#look().catch(() => {});
      await new Promise((next) => setTimeout(next, 1000));
    }
  }

  async #look(): Promise<void> {
    const lists = await Promise.all(
      this.#where.map(async (where) => {
        const text = await kubectl('get', 'pods', where, '--output=json');
        return (JSON.parse(text) as { items: Pod[] }).items;
      }),
    );
    writeFileSync(`${this.#file}.new`, JSON.stringify(lists.flat().flatMap(targetsOf)));
    renameSync(`${this.#file}.new`, this.#file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }
}

type Container = {
  readonly name: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
};
type Pod = {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
  };
  readonly status: { readonly podIP?: string; readonly phase: string };
};

/** Prefix of what is known of a pod. */
export const POD = '__meta_kubernetes_pod';
/** A label's name as Prometheus has it. */
export const labelName = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_]/g, '_');

/** One for each port of each container. */
function targetsOf({ metadata, spec, status }: Pod): object[] {
  if (status.podIP === undefined) return [];
  const labels = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => [
    [`${POD}_label_${labelName(key)}`, value],
    [`${POD}_labelpresent_${labelName(key)}`, 'true'],
  ]);
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ name, ports = [] }) =>
    ports.map(({ name: port = '', containerPort }) => ({
      targets: [`${status.podIP}:${containerPort}`],
      labels: {
        ...Object.fromEntries(labels),
        __meta_kubernetes_namespace: metadata.namespace,
        [`${POD}_name`]: metadata.name,
        [`${POD}_phase`]: status.phase,
        [`${POD}_container_name`]: name,
        [`${POD}_container_port_name`]: port,
        [`${POD}_container_port_number`]: String(containerPort),
      },
    })),
  );
}
