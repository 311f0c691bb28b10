import { failed } from '../connections/connection.ts';
import type { TcpConnection } from '../connections/tcp.ts';
import { CLOSE } from '../contract.ts';
import { messageOf } from '../errors.ts';
import type { Request } from '../http/request.ts';
import { log } from '../log.ts';
import { hintReason } from '../master/drain.ts';
import { monotonicMs } from '../monotonic.ts';
import { EVENT, KIND, type Message, type Package } from './format.ts';
import { ALIVE_MS, type Link } from './link.ts';
import { obey } from './orders.ts';
import { answerTo, type Question } from './queries.ts';
import { type Entry, Registry } from './registry.ts';
import { type Guest, type Hands, Routing } from './routing.ts';
import { changed, type SessionChange } from './session.ts';
import { type GatewayStats, observeHold } from './stats.ts';
import { encoded, writeBare, writeEvent, writeNumbered, writeReply } from './writing.ts';

/** A client as its gateway has it. */
export type Client = { readonly connection: TcpConnection; readonly entry: Entry };

/** An event that waits. */
type Item = {
  readonly what: number;
  readonly form: number;
  readonly body: string | Uint8Array;
  readonly size: number;
  readonly last?: boolean;
  readonly adoption?: boolean;
};

export type HallOptions = {
  /** Bytes that may wait for one client. */
  readonly maxWaiting: number;
  readonly maxGroups: number;
  /** Milliseconds that a new client waits for a BusinessWorker. */
  readonly patienceMs: number;
};

/** Events and bytes that one BusinessWorker may have unfinished, and events that may wait for one client. */
const WINDOW_EVENTS = 10_000;
const WINDOW_BYTES = 8_388_608;
const WAITING_EVENTS = 1000;
/** A BusinessWorker that was silent for so long is handed nothing: its signs of life come more often. */
const SILENT_MS = 1.5 * ALIVE_MS;
/** Answers that a slow asker may leave unread, in bytes. */
const UNREAD_MAX = 134_217_728;

type HallGuest = Guest<Link, Client, Item>;

/** The clients of a gateway process, between their connections and the BusinessWorkers' links. */
export class Hall implements Hands<Link, Client, Item> {
  readonly registry: Registry;
  readonly stats: GatewayStats;
  readonly #routing: Routing<Link, Client, Item>;
  readonly #guests = new Map<number, HallGuest>();
  readonly #patienceMs: number;

  constructor({ maxWaiting, maxGroups, patienceMs }: HallOptions, stats: GatewayStats) {
    this.stats = stats;
    this.#patienceMs = patienceMs;
    this.registry = new Registry(maxGroups);
    const window = { windowEvents: WINDOW_EVENTS, windowBytes: WINDOW_BYTES };
    const limits = { ...window, guestEvents: WAITING_EVENTS, guestBytes: maxWaiting };
    this.#routing = new Routing(limits, this);
  }

  /** @internal */
  connectionOf(number: number): TcpConnection | undefined {
    return this.#guests.get(number)?.client.connection;
  }

  /** A client has connected. */
  connected(connection: TcpConnection): void {
    const entry = this.registry.add(connection.id, connection.getRemoteAddress());
    const guest = this.#routing.add({ connection, entry }, monotonicMs());
    this.#guests.set(connection.id, guest);
    this.#happened(guest, EVENT.connect, '');
  }

  /** It has asked for a WebSocket. */
  shookHands({ id }: TcpConnection, { target, headers }: Request): void {
    const guest = this.#guests.get(id);
    if (guest) this.#happened(guest, EVENT.handshake, { target, headers });
  }

  /** It says something. */
  received({ id }: TcpConnection, message: Message): void {
    const guest = this.#guests.get(id);
    if (guest) this.#happened(guest, EVENT.message, message);
  }

  /** It is gone. */
  closed({ id }: TcpConnection): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    this.#guests.delete(id);
    this.registry.remove(guest.client.entry);
    guest.gone = true;
    this.#happened(guest, EVENT.close, '');
  }

  #happened(guest: HallGuest, what: number, message: Message): void {
    const { form, body } = encoded(message);
    const last = what === EVENT.close;
    const link = this.#routing.direct(guest);
    if (link) {
      const bytes = this.hand(link, guest, { what, form, body, size: 0, last });
      this.#routing.handed(guest, bytes, { last });
      return;
    }
    // A message of bytes is the connection's read buffer: what waits is copied.
    const kept = typeof body === 'string' ? body : Buffer.from(body);
    const item = { what, form, body: kept, size: kept.length + 64, last };
    this.#routing.wait(guest, item, monotonicMs());
  }

  hand(link: Link, guest: HallGuest, { what, form, body }: Item): number {
    const { entry } = guest.client;
    let state: string | undefined;
    if (guest.told !== entry.version) {
      state = JSON.stringify({ session: entry.session, uid: entry.uid, remote: entry.remote });
      guest.told = entry.version;
      guest.states += 1;
    }
    const bytes = writeEvent(
      link.out,
      { what, client: guest.client.entry.number, state },
      { form, body },
    );
    link.wrote();
    return bytes;
  }

  adoption(): Item {
    return { what: EVENT.adopt, form: 0, body: '', size: 0, adoption: true };
  }

  pause({ client }: HallGuest): void {
    client.connection.pauseRecv();
  }

  resume({ client }: HallGuest): void {
    client.connection.resumeRecv();
  }

  held(ms: number): void {
    observeHold(this.stats, ms);
  }

  /** A package of a BusinessWorker or GatewayClient. */
  package(link: Link, one: Package): void {
    try {
      this.#take(link, one);
    } catch (error) {
      failed('gateway, inner port', error);
      link.connection.destroy();
    }
  }

  #take(link: Link, one: Package): void {
    switch (one.kind) {
      case KIND.command:
        obey(this, one);
        break;
      case KIND.finished:
        this.#routing.finished(link, one.events, one.bytes, monotonicMs());
        break;
      case KIND.query:
        this.#answer(link, one.id, one.body);
        break;
      case KIND.session:
        this.#sessionChanged(link, one);
        break;
      case KIND.mute:
      case KIND.unmute:
        this.#muted(link, one.client, one.kind === KIND.mute);
        break;
      case KIND.ping:
        writeNumbered(link.out, KIND.pong, one.id);
        link.wrote();
        break;
      case KIND.pong:
        this.#routing.silent(link, false, monotonicMs());
        break;
      default:
        this.#moved(link, one);
    }
  }

  /** A BusinessWorker comes or goes. */
  #moved(link: Link, one: Package): void {
    if (one.kind === KIND.join) this.#routing.opened(link, monotonicMs());
    else if (one.kind === KIND.done) this.linkClosed(link);
    else if (one.kind === KIND.leaving) {
      this.#routing.leaving(link);
      writeBare(link.out, KIND.left);
      link.wrote();
    } else if (one.kind !== KIND.alive) {
      log.warn(`gateway, inner port: package ${one.kind} was not expected`);
      link.connection.destroy();
    }
  }

  #muted(link: Link, client: number, on: boolean): void {
    const guest = this.#guests.get(client);
    if (guest?.bond?.link !== link) return;
    if (on) this.#routing.mute(guest);
    else this.#routing.unmute(guest, monotonicMs());
  }

  #sessionChanged(
    link: Link,
    { client, states, change }: { client: number; states: number; change: string },
  ): void {
    const guest = this.#guests.get(client);
    if (guest?.bond?.link !== link) return;
    const { entry } = guest.client;
    const current = guest.told === entry.version && guest.states === states;
    const next = changed(entry.session, JSON.parse(change) as SessionChange);
    this.registry.setSession(entry, next);
    // Else the BusinessWorker has not seen what others changed: the next event tells it.
    if (current) guest.told = entry.version;
  }

  #answer(link: Link, id: number, body: string): void {
    if (link.pending > UNREAD_MAX) {
      link.connection.destroy();
      return;
    }
    try {
      const answer = answerTo(this.registry, JSON.parse(body) as Question);
      writeReply(link.out, id, true, JSON.stringify(answer));
    } catch (error) {
      writeReply(link.out, id, false, messageOf(error));
    }
    link.wrote();
  }

  /** A BusinessWorker is through, or its link is gone. */
  linkClosed(link: Link): void {
    this.stats.maybeLost += this.#routing.closed(link, monotonicMs());
  }

  /** Once a second: looks for silent BusinessWorkers, sends away who has waited too long, and counts. */
  look(): void {
    this.#listen(monotonicMs());
    this.#turnAway();
    this.#tellRefused();
    const { registry, stats } = this;
    stats.clients = registry.clients.size;
    stats.groups = registry.groupCount;
    stats.uids = registry.uidCount;
    stats.waiting = this.#routing.waiting;
    stats.waitingBytes = this.#routing.waitingBytes;
    stats.businessLinks = [...this.#routing.bonds.values()].filter((b) => !b.leaving).length;
  }

  #tellRefused(): void {
    const { refused, groupsMax } = this.registry;
    if (refused === 0) return;
    this.registry.refused = 0;
    log.warn(
      `gateway: memberships refused: ${refused}; a client may be in ${groupsMax} groups (maxGroups)`,
    );
  }

  #listen(now: number): void {
    for (const [link, { silent }] of this.#routing.bonds) {
      if (silent || link.silentMs(now) < SILENT_MS) continue;
      this.#routing.silent(link, true, now);
      // What it said before it gave this link up may still come; only an answer tells that it is there.
      writeNumbered(link.out, KIND.ping, 0);
      link.wrote();
    }
  }

  #turnAway(): void {
    for (const guest of this.#routing.late(monotonicMs() - this.#patienceMs)) {
      const { connection } = guest.client;
      if (guest.gone) this.stats.maybeLost += guest.queue.length;
      else this.stats.turnedAway += 1;
      this.#guests.delete(connection.id);
      this.registry.remove(guest.client.entry);
      this.#routing.forget(guest);
      connection.end('local', CLOSE.tryAgainLater, hintReason([1000, 5000]));
    }
  }
}
