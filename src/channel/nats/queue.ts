import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { messageOf } from '../../errors.ts';
import { reconnectMs } from '../../reconnect.ts';
import type { EngineEvents } from '../engine.ts';
import type { NatsLink } from './link.ts';
import type { Streams } from './streams.ts';
import { queueConsumer, queueSubject } from './subjects.ts';

/** It is said as often that a job is still worked on, well below the 10 s after which another consumer gets it. */
const WORKING_MS = 3_000;
/** How long one request for a job stands, and how often the server says that there is none yet. */
const REQUEST_MS = 30_000;
const HEARTBEAT_MS = 2_000;
/** Longest pause before it is asked again. */
const MOST_PAUSE_MS = 1_000;

/** What a queue needs of the engine. */
export type QueueHost = {
  readonly link: NatsLink;
  readonly streams: Streams | undefined;
  readonly events: EngineEvents;
  readonly prefix: string;
};

/** One watched queue: asks for jobs one by one, and keeps them alive while they are worked on. */
export class Queue {
  readonly #host: QueueHost;
  readonly #name: string;
  readonly #inWork = new Map<JsMsg, NodeJS.Timeout>();
  #wanted = false;
  #asking = false;
  #ended = false;
  #request: ConsumerMessages | undefined = undefined;

  constructor(host: QueueHost, name: string) {
    this.#host = host;
    this.#name = name;
  }

  /** Asks for one job; a second call before it came changes nothing. */
  reserve(): void {
    this.#wanted = true;
    if (this.#asking || this.#ended) return;
    this.#asking = true;
    void this.#ask();
  }

  /** The connection is lost, and with it the request. */
  interrupt(): void {
    this.#request?.stop();
  }

  /** Asks for no further jobs. What is being worked on goes on. */
  stop(): void {
    this.#ended = true;
    this.#request?.stop();
  }

  /** Gives back what is being worked on. */
  giveBack(): void {
    for (const [job, timer] of this.#inWork) {
      clearInterval(timer);
      job.nak();
    }
    this.#inWork.clear();
  }

  async #ask(): Promise<void> {
    for (let attempt = 0; this.#wanted && !this.#ended; attempt += 1) {
      try {
        await this.#host.link.up();
        await this.#fetch();
        attempt = 0;
        continue;
      } catch (error) {
        if (this.#ended) return;
        this.#host.streams?.forget();
        if (attempt > 1 && this.#host.link.connection)
          this.#host.events.error('NATS_FAILED', `queue ${this.#name}: ${messageOf(error)}`);
      }
      const ms = Math.min(MOST_PAUSE_MS, reconnectMs(attempt, Math.random()));
      await this.#host.link.pause(ms).catch(() => {});
    }
    this.#asking = false;
  }

  async #fetch(): Promise<void> {
    const { streams, prefix } = this.#host;
    if (!streams) throw new Error('not connected');
    const info = await streams.consumer(
      queueConsumer(this.#name),
      queueSubject(prefix, this.#name),
    );
    const consumer = streams.client.consumers.getConsumerFromInfo(info);
    const request = await consumer.fetch({
      max_messages: 1,
      expires: REQUEST_MS,
      idle_heartbeat: HEARTBEAT_MS,
    });
    this.#request = request;
    if (this.#ended) request.stop();
    try {
      for await (const job of request) this.#taken(job);
    } finally {
      this.#request = undefined;
    }
  }

  #taken(job: JsMsg): void {
    if (this.#ended) {
      job.nak();
      return;
    }
    this.#wanted = false;
    this.#inWork.set(
      job,
      setInterval(() => job.working(), WORKING_MS),
    );
    const { data } = job;
    const value = Buffer.from(data.buffer, data.byteOffset, data.length);
    this.#host.events.job(this.#name, value, () => this.#done(job));
  }

  #done(job: JsMsg): void {
    clearInterval(this.#inWork.get(job));
    if (!this.#inWork.delete(job)) return;
    // Said when it can be heard; without it the work would be done again.
    this.#host.link.up().then(
      () => job.ack(),
      () => {},
    );
  }
}
