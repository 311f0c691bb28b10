import { randomBytes } from 'node:crypto';
import type { KubeObject } from '../api/meta.ts';
import type { Client } from './client.ts';
import { Folding } from './event-folding.ts';
import { microTime } from './micro-time.ts';
import { keyOf, resources } from './resources.ts';

/** Bounds that the API server has. */
const NOTE_MAX = 1024;
const NAME_MAX = 253;
/** Events that wait to be written; beyond it they are dropped. */
const WAITING_MAX = 1000;

export type RecorderOptions = {
  readonly client: Client;
  /** Who reports, as in `longshore.dev/operator`. */
  readonly controller: string;
  /** Which one of them; a pod's name. At most 128 characters. */
  readonly instance: string;
};

type Noted = {
  readonly object: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly action: string;
};

/**
 * Writes events for people, as `kubectl describe` shows them: events.k8s.io/v1. The same again within 5 minutes is
 * counted in the first one. An object has 25 at once and then one in 10 s. What cannot be written is only counted.
 */
export class Recorder {
  /** Written, counts included. */
  written = 0;
  /** Too many. */
  dropped = 0;
  failed = 0;
  readonly #options: RecorderOptions;
  readonly #folding = new Folding();
  /** One after the other: a count needs the event that it is of. */
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /**
   * Notes that something has happened; never throws and is not waited for.
   *
   * @param reason one word in CamelCase: why
   * @param message a sentence; cut at 1024 bytes
   * @param action one word in CamelCase: what was done, as in `Draining`
   */
  note(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    action: string,
  ): void {
    const about = `${object.kind} ${keyOf(object)} ${object.metadata.uid ?? ''}`;
    const what = `${about} ${reason} ${message}`;
    const folded = this.#folding.fold(about, what, performance.now());
    if (folded.is === 'drop' || this.#waiting >= WAITING_MAX) {
      this.dropped += 1;
      return;
    }
    const name = eventName(object.metadata.name, folded.id);
    const noted = { object, type, reason, message, action };
    this.#enqueue(what, () =>
      folded.is === 'create'
        ? this.#create(name, noted)
        : this.#count(name, namespaceOf(object), folded.count),
    );
  }

  /** Resolves when everything noted so far is written or given up. */
  async idle(): Promise<void> {
    await this.#last;
  }

  #enqueue(what: string, write: () => Promise<unknown>): void {
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      try {
        await write();
        this.written += 1;
      } catch {
        this.failed += 1;
        this.#folding.forget(what);
      }
      this.#waiting -= 1;
    });
  }

  #create(name: string, { object, type, reason, message, action }: Noted): Promise<KubeObject> {
    const { client, controller, instance } = this.#options;
    const { apiVersion, kind, metadata } = object;
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace: namespaceOf(object) },
      eventTime: microTime(),
      reportingController: controller,
      reportingInstance: instance,
      type,
      reason,
      action,
      note: cut(message, NOTE_MAX),
      regarding: {
        apiVersion,
        kind,
        namespace: metadata.namespace,
        name: metadata.name,
        uid: metadata.uid,
      },
    };
    return client.create(event);
  }

  #count(name: string, namespace: string, count: number): Promise<KubeObject> {
    const series = { count, lastObservedTime: microTime() };
    const ref = { resource: resources.Event, namespace, name };
    return this.#options.client.patch(ref, { series });
  }
}

/** Events of what has no namespace are in this one. */
function namespaceOf({ metadata }: KubeObject): string {
  return metadata.namespace ?? 'default';
}

/** Of this process alone: the ids begin anew in each. */
const PROCESS = randomBytes(5).toString('hex');

function eventName(object: string, id: number): string {
  const suffix = `.${PROCESS}.${id}`;
  return `${object.slice(0, NAME_MAX - suffix.length)}${suffix}`;
}

/** The beginning of a text, in whole characters of at most so many bytes. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
