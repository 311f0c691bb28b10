import {
  type ConsumerInfo,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Bounds } from '../engine.ts';
import {
  DUPLICATES_SECONDS,
  keptBy,
  QUEUE_MAX,
  replicasFor,
  type StreamFacts,
} from './decisions.ts';
import { historyStream, historySubjects, queueStream } from './subjects.ts';

const NANOS = 1_000_000_000;
const NANOS_PER_MS = 1_000_000;
/** A job of a consumer that says nothing as long goes to another one. */
const ACK_WAIT_MS = 10_000;
const NOT_FOUND = 10_059;
const EXISTS_OTHERWISE = 10_058;
const TIMEOUT_MS = 2_000;

/** JetStream on one connection, and the streams of ours that are known to be there. */
export class Streams {
  readonly client: JetStreamClient;
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #replicas: number;
  readonly #known = new Map<string, Promise<string>>();
  readonly #consumers = new Map<string, Promise<ConsumerInfo>>();
  #manager: Promise<JetStreamManager> | undefined = undefined;

  constructor(
    connection: NatsConnection,
    prefix: string,
    said: number | undefined,
    servers: number,
  ) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#replicas = replicasFor(said, servers);
    this.client = jetstream(connection, { timeout: TIMEOUT_MS });
  }

  manager(): Promise<JetStreamManager> {
    this.#manager ??= jetstreamManager(this.#connection, { timeout: TIMEOUT_MS, checkAPI: false });
    return this.#manager;
  }

  /** Sees to it that there is a stream for these bounds. @returns its name */
  history(bounds: Bounds): Promise<string> {
    const kept = keptBy(bounds);
    return this.#ensure(historyStream(this.#prefix, bounds), {
      subjects: [historySubjects(this.#prefix, bounds)],
      retention: 'limits',
      discard: 'old',
      max_msgs_per_subject: kept.size,
      max_age: kept.seconds * NANOS,
    });
  }

  /** The same for queues. */
  queues(): Promise<string> {
    return this.#ensure(queueStream(this.#prefix), {
      subjects: [`${this.#prefix}.q.*`],
      retention: 'workqueue',
      discard: 'new',
      discard_new_per_subject: true,
      max_msgs_per_subject: QUEUE_MAX,
    });
  }

  /** Sees to it that there is a consumer for a queue, shared by all who watch it. */
  consumer(name: string, subject: string): Promise<ConsumerInfo> {
    const known = this.#consumers.get(name);
    if (known !== undefined) return known;
    const made = this.#makeConsumer(name, subject);
    this.#consumers.set(name, made);
    made.catch(() => this.#consumers.delete(name));
    return made;
  }

  async #makeConsumer(name: string, subject: string): Promise<ConsumerInfo> {
    const stream = await this.queues();
    const { consumers } = await this.manager();
    return consumers.add(stream, {
      durable_name: name,
      filter_subject: subject,
      ack_policy: 'explicit',
      ack_wait: ACK_WAIT_MS * NANOS_PER_MS,
      max_ack_pending: -1,
    });
  }

  /** They are looked for again before they are used again. */
  forget(): void {
    this.#known.clear();
    this.#consumers.clear();
  }

  #ensure(name: string, config: Partial<StreamConfig>): Promise<string> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const made = this.#make(name, config);
    this.#known.set(name, made);
    made.catch(() => this.#known.delete(name));
    return made;
  }

  /** One that is there is taken as it is: somebody may have set it up in another way, for a reason. */
  async #make(name: string, config: Partial<StreamConfig>): Promise<string> {
    const { streams } = await this.manager();
    if (await streams.info(name).catch(unless(NOT_FOUND))) return name;
    const common = {
      name,
      storage: 'file',
      num_replicas: this.#replicas,
      duplicate_window: DUPLICATES_SECONDS * NANOS,
    };
    // Another process may just have made it, with as many copies as it knows servers.
    await streams.add({ ...common, ...config } as StreamConfig).catch(unless(EXISTS_OTHERWISE));
    return name;
  }
}

/** Lets an error of JetStream with this number pass as `undefined`. */
function unless(code: number): (error: unknown) => undefined {
  return (error) => {
    if ((error as { code?: unknown } | undefined)?.code !== code) throw error;
  };
}

/** What matters of a stream. */
export function factsOf({ config, created, state }: StreamInfo): StreamFacts {
  return {
    epoch: `${config.name}@${created}`,
    first: state.first_seq,
    last: state.last_seq,
    ageMs: config.max_age / 1_000_000,
    perChannel: Math.max(0, config.max_msgs_per_subject),
    otherBounds: config.max_bytes > 0 || config.max_msgs > 0,
  };
}
