import { failed, tally } from '../connections/connection.ts';
import type { CloseOptions } from '../connections/tcp.ts';
import { Request } from '../http/request.ts';
import { bodyOf, NOTHING } from './client-base.ts';
import { COMMAND, EVENT, type Event, KIND, type Message } from './format.ts';
import { clientId, parseClientId } from './ids.ts';
import type { Link } from './link.ts';
import { type ClientState, changeOf, merged, type Session } from './session.ts';
import { decoded, writeClient, writeCommand, writeFinished, writeSession } from './writing.ts';

/** Events that wait for a client's own handler before the gateway is asked to hold them. */
const BEHIND = 64;
/** As many as a gateway lets wait. */
const QUEUE_MAX = 8_388_608;

/** A client, as a BusinessWorker's callbacks get it. */
export class BusinessClient {
  /** Opaque; good for every call of `GatewayClient`, in any process. */
  readonly id: string;
  /**
   * The program's own values. What a handler changes is written back to the gateway when it is through, key by key; it
   * survives the BusinessWorker. Keep it small.
   */
  session: Session = {};
  /** `ip:port`; behind a trusted proxy as the proxy says. */
  remoteAddress = '';
  /** As bound when the event came. */
  uid: string | undefined = undefined;
  readonly #seat: Seat;

  /** @internal */
  constructor(id: string, seat: Seat) {
    this.id = id;
    this.#seat = seat;
  }

  /** Sends to this client; `false`: dropped, because the gateway is gone or 8 MiB wait for it. */
  send(message: Message): boolean {
    return this.#seat.command(COMMAND.sendToClients, bodyOf(message));
  }

  /** Ends it in good order, after `message` if there is one. */
  close(message?: Message, { code, reason = '' }: CloseOptions = {}): boolean {
    const body = message === undefined ? NOTHING : bodyOf(message);
    return this.#seat.command(COMMAND.close, body, code === undefined ? [] : [`${code}`, reason]);
  }
}

/** A client of this BusinessWorker: what waits for it, and what its gateway knows. */
export class Seat {
  readonly link: Link;
  readonly number: number;
  readonly client: BusinessClient;
  readonly queue: Event[] = [];
  busy = false;
  muted = false;
  /** States that the gateway has told. */
  states = 0;
  /** The session as the gateway has it. */
  json = '{}';

  constructor(link: Link, instance: string, number: number) {
    this.link = link;
    this.number = number;
    this.client = new BusinessClient(clientId(instance, number), this);
  }

  command(what: number, body: ReturnType<typeof bodyOf>, names: readonly string[] = []): boolean {
    const { link, number } = this;
    if (link.connection.status !== 'established' || link.pending >= QUEUE_MAX) return false;
    writeCommand(link.out, what, { clients: [number], names }, body);
    link.wrote();
    return true;
  }

  take(state: string): void {
    const { session, uid, remote } = JSON.parse(state) as ClientState;
    this.client.session = session;
    this.client.uid = uid;
    this.client.remoteAddress = remote;
    this.json = JSON.stringify(session);
    this.states += 1;
  }

  /** Tells the gateway what a handler changed. */
  writeBack(): void {
    const now = JSON.stringify(this.client.session ?? {});
    if (now === this.json) return;
    const change = changeOf(this.json, now);
    this.json = now;
    writeSession(this.link.out, this.number, this.states, JSON.stringify(change));
    this.link.wrote();
  }
}

/** What is done with events. */
export type Handlers = {
  onConnect?: ((client: BusinessClient) => unknown) | undefined;
  onWebSocketConnect?: ((client: BusinessClient, request: Request) => unknown) | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what a client says depends on the gateway's protocol
  onMessage?: ((client: BusinessClient, message: any) => unknown) | undefined;
  onClose?: ((client: BusinessClient) => unknown) | undefined;
};

/** One link's clients, and how much of what came over it is finished. */
type Table = {
  readonly instance: string;
  readonly seats: Map<number, Seat>;
  events: number;
  bytes: number;
  told: number;
};

/**
 * Runs the handlers: for each client one after the other, also asynchronous ones, and clients beside each other.
 */
export class Seats {
  readonly #handlers: Handlers;
  readonly #tables = new Map<Link, Table>();
  /** Events that came and are not finished. */
  #open = 0;
  #onIdle: (() => void) | undefined = undefined;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  /** Clients that this process knows. */
  get size(): number {
    let size = 0;
    for (const { seats } of this.#tables.values()) size += seats.size;
    return size;
  }

  opened(link: Link, instance: string): void {
    const table: Table = { instance, seats: new Map(), events: 0, bytes: 0, told: 0 };
    this.#tables.set(link, table);
    link.onFlush = () => {
      if (table.bytes === table.told) return;
      table.told = table.bytes;
      writeFinished(link.out, table.events, table.bytes);
    };
  }

  /** Its clients are gone. */
  closed(link: Link): void {
    const table = this.#tables.get(link);
    if (!table) return;
    this.#tables.delete(link);
    for (const seat of table.seats.values()) this.#came(table, seat, lastOf(seat.number));
  }

  /** They are other BusinessWorkers' from now on. */
  forget(): void {
    this.#tables.clear();
  }

  /** @returns the client with that id, if this process has it */
  find(id: string): Seat | undefined {
    const key = parseClientId(id);
    if (!key) return undefined;
    for (const { instance, seats } of this.#tables.values())
      if (instance === key.instance) return seats.get(key.number);
    return undefined;
  }

  /** An event came from a gateway. */
  event(link: Link, event: Event): void {
    const table = this.#tables.get(link);
    if (!table) return;
    let seat = table.seats.get(event.client);
    if (!seat) {
      seat = new Seat(link, table.instance, event.client);
      table.seats.set(event.client, seat);
    }
    this.#came(table, seat, event);
  }

  #came(table: Table, seat: Seat, event: Event): void {
    this.#open += 1;
    if (!seat.busy) {
      this.#run(table, seat, event);
      return;
    }
    seat.queue.push(event);
    if (seat.queue.length === BEHIND) this.#mute(seat, true);
  }

  #mute(seat: Seat, on: boolean): void {
    seat.muted = on;
    writeClient(seat.link.out, on ? KIND.mute : KIND.unmute, seat.number);
    seat.link.wrote();
  }

  #run(table: Table, seat: Seat, first: Event): void {
    for (let event: Event | undefined = first; event; event = seat.queue.shift()) {
      const result = this.#call(seat, event);
      if (result instanceof Promise) {
        const current = event;
        seat.busy = true;
        result
          .catch((error) => failed(nameOf(current), error))
          .then(() => {
            seat.busy = false;
            this.#finish(table, seat, current);
            const next = seat.queue.shift();
            if (next) this.#run(table, seat, next);
          })
          .catch((error) => failed('BusinessWorker', error));
        return;
      }
      this.#finish(table, seat, event);
    }
  }

  #call(seat: Seat, { what, state, form, body }: Event): unknown {
    const { client } = seat;
    const handlers = this.#handlers;
    try {
      if (state !== undefined) seat.take(state);
      if (what === EVENT.message) {
        tally.counts.total_request += 1;
        return handlers.onMessage?.(client, decoded(form, body));
      }
      if (what === EVENT.connect) return handlers.onConnect?.(client);
      if (what === EVENT.close) return handlers.onClose?.(client);
      if (what === EVENT.handshake) {
        const head = JSON.parse(String(body)) as { target: string; headers: object };
        const request = new Request({
          method: 'GET',
          url: head.target,
          headers: { ...head.headers },
        });
        return handlers.onWebSocketConnect?.(client, request);
      }
    } catch (error) {
      failed(nameOf({ what }), error);
    }
    return undefined;
  }

  #finish(table: Table, seat: Seat, { what, size }: Event): void {
    if (what === EVENT.close) table.seats.delete(seat.number);
    else
      try {
        seat.writeBack();
      } catch (error) {
        failed("a client's session", error);
      }
    table.events += what === EVENT.adopt ? 0 : 1;
    table.bytes += size;
    seat.link.wrote();
    if (seat.muted && seat.queue.length <= BEHIND / 2) this.#mute(seat, false);
    this.#open -= 1;
    if (this.#open === 0) this.#onIdle?.();
  }

  /** Settles when every event that has come is finished, or after so long; true if they are. */
  async idle(ms: number): Promise<boolean> {
    if (this.#open === 0) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#onIdle = undefined;
    return this.#open === 0;
  }

  /** What this process itself changes is seen at once by its handlers. */
  sessionSet(id: string, session: Session, replaces: boolean): void {
    const seat = this.find(id);
    if (!seat) return;
    const before = replaces ? {} : JSON.parse(seat.json);
    const json = JSON.stringify(merged(before, session));
    seat.client.session = replaces ? JSON.parse(json) : merged(seat.client.session, session);
    seat.json = json;
  }
}

const lastOf = (client: number): Event => ({
  kind: KIND.event,
  what: EVENT.close,
  client,
  state: undefined,
  form: 1,
  body: '',
  size: 0,
});

const NAMES: Readonly<Record<number, string>> = {
  [EVENT.connect]: 'onConnect',
  [EVENT.handshake]: 'onWebSocketConnect',
  [EVENT.message]: 'onMessage',
  [EVENT.close]: 'onClose',
};
const nameOf = ({ what }: Pick<Event, 'what'>): string => NAMES[what] ?? 'onConnect';
