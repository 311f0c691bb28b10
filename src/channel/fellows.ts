import type { ConnectionOptions } from 'node:tls';
import { log } from '../log.ts';
import { monotonicMs } from '../monotonic.ts';
import type { Broker, Goods } from './broker.ts';
import { type ChannelMessage, encode, type MessageOf } from './format.ts';
import type { Transfer } from './history.ts';
import { keyOf, type MoveHands, Moves, type What } from './moves.ts';
import type { ChannelMember } from './owners.ts';
import { Post, type PostEvents } from './post.ts';
import type { Session } from './session.ts';

/** How often waits are looked at. */
const TICK_MS = 25;
/** The way to a server that is off the list stays so long: it may have something for us still. */
const FAREWELL_MS = 15_000;
/** Bytes that may wait for another server before it is given more. */
const PENDING_MAX = 8_388_608;

export type FellowOptions = {
  /** This server, as the list names it. */
  readonly me: string;
  readonly secret?: string | undefined;
  readonly tls?: ConnectionOptions | true | undefined;
  readonly heartbeat: number;
};

/** What one server is sending, until it is complete. */
type Incoming = {
  head: MessageOf<'take'> | undefined;
  readonly entries: Transfer['entries'][number][];
  readonly jobs: Buffer[];
};

/** What goes on to another server when it came to the wrong one. */
export type Forwarded = MessageOf<'publish'> | MessageOf<'enqueue'> | MessageOf<'giveBack'>;

/** The other servers: the ways to them, and what comes from them and goes to them. */
export class Fellows implements MoveHands<Goods> {
  readonly moves: Moves<Goods>;
  readonly #options: FellowOptions;
  readonly #broker: Broker;
  readonly #posts = new Map<string, Post>();
  /** Errors that were told already. */
  readonly #failing = new Set<string>();
  readonly #incoming = new WeakMap<Session, Map<string, Incoming>>();
  readonly #ticker: NodeJS.Timeout;
  #list: readonly ChannelMember[] = [];

  /** This server's own name. */
  get me(): string {
    return this.#options.me;
  }

  constructor(broker: Broker, options: FellowOptions) {
    this.#broker = broker;
    this.#options = options;
    this.moves = new Moves(options.me, this);
    this.#ticker = setInterval(() => this.moves.tick(monotonicMs()), TICK_MS).unref();
  }

  close(): void {
    clearInterval(this.#ticker);
    for (const { line } of this.#posts.values()) line.close();
    this.#posts.clear();
  }

  setMembers(list: readonly ChannelMember[]): void {
    const before = this.#list;
    this.#list = list;
    for (const each of list) if (each.id !== this.#options.me) this.#postTo(each);
    for (const { id } of before)
      if (!list.some((each) => each.id === id))
        setTimeout(() => this.#farewell(id), FAREWELL_MS).unref();
    this.moves.setMembers(list, monotonicMs());
  }

  #farewell(id: string): void {
    if (this.#list.some((each) => each.id === id)) return;
    this.#posts.get(id)?.line.close();
    this.#posts.delete(id);
    this.moves.down(id);
  }

  /** The way to a server; a new one if it has moved. */
  #postTo(member: ChannelMember): Post {
    const known = this.#posts.get(member.id);
    if (known?.line.address === member.address) return known;
    known?.line.close();
    if (known) this.moves.down(member.id);
    const { me, secret, tls, heartbeat } = this.#options;
    const post = new Post(member, { secret, tls, heartbeat, member: me }, this.#events());
    this.#posts.set(member.id, post);
    post.line.connect();
    return post;
  }

  #events(): PostEvents {
    return {
      open: ({ id }, leaving) => {
        this.#failing.clear();
        this.moves.setLeaving(id, leaving, monotonicMs());
        this.moves.up(monotonicMs());
      },
      message: ({ id }, message) => {
        if (message.kind === 'leaving') this.moves.setLeaving(id, true, monotonicMs());
        else if (message.kind === 'taken') this.moves.taken(whatOf(message), id);
      },
      down: (post) => {
        if (this.#posts.get(post.id) === post) this.moves.down(post.id);
      },
      error: (_, code, message) => {
        if (this.#failing.has(message)) return;
        this.#failing.add(message);
        log.warn(`channel: to another server: ${code} ${message}`);
      },
    };
  }

  /** Another server has connected to us, so it is there. */
  greeted(id: string): void {
    this.#posts.get(id)?.line.hurry();
  }

  /** Sends on what belongs to another server; false: dropped, because too much waits for it. */
  forward(to: ChannelMember, message: Forwarded, hops: number): boolean {
    const bytes = encode({ kind: 'forward', count: hops, value: encode(message) });
    return this.#postTo(to).publish({ name: message.name, bytes }) !== false;
  }

  /** Calls back when these servers have dealt with all that went to them. */
  sync(ids: Iterable<string>, through: () => void): void {
    let open = 1;
    const one = () => {
      open -= 1;
      if (open === 0) through();
    };
    for (const id of ids) {
      const post = this.#posts.get(id);
      if (!post?.line.isOpen) continue;
      open += 1;
      post.sync(one);
    }
    one();
  }

  /** Something that servers say to each other; false if it is nothing of the kind. */
  heard(session: Session, message: ChannelMessage): boolean {
    switch (message.kind) {
      case 'claim':
        this.moves.claimed(whatOf(message), { id: message.to, address: message.address });
        return true;
      case 'take':
      case 'keep':
      case 'keepJob':
        this.#collect(session, message);
        return true;
      case 'offer':
        this.#offered(session, message);
        return true;
      default:
        return false;
    }
  }

  #collect(
    session: Session,
    message: MessageOf<'take'> | MessageOf<'keep'> | MessageOf<'keepJob'>,
  ): void {
    const what = { isQueue: message.kind === 'keepJob', name: message.name };
    const parts = this.#incoming.get(session) ?? new Map<string, Incoming>();
    this.#incoming.set(session, parts);
    const part = parts.get(keyOf(what)) ?? { head: undefined, entries: [], jobs: [] };
    parts.set(keyOf(what), part);
    if (message.kind === 'take') part.head = message;
    else if (message.kind === 'keepJob') part.jobs.push(message.value);
    else if (message.position)
      part.entries.push({
        offset: message.position.offset,
        ageMs: message.count,
        event: message.value,
      });
  }

  #offered(session: Session, message: MessageOf<'offer'>): void {
    const what = whatOf(message);
    const from = session.member as string;
    const parts = this.#incoming.get(session);
    const part = parts?.get(keyOf(what));
    parts?.delete(keyOf(what));
    if (!message.found) {
      this.moves.answered(what, from, false);
      return;
    }
    this.#broker.put(what, { log: logOf(part), jobs: part?.jobs ?? [] });
    session.tell({ kind: 'taken', flag: what.isQueue, name: what.name });
    this.moves.answered(what, from, true);
  }

  has(what: What): boolean {
    return this.#broker.has(what);
  }

  all(): Iterable<What> {
    return this.#broker.all();
  }

  take(what: What): Goods {
    return this.#broker.take(what);
  }

  putBack(what: What, goods: Goods): void {
    this.#broker.putBack(what, goods);
  }

  canGive(to: ChannelMember): boolean {
    if (to.id === this.#options.me) return false;
    const { line } = this.#postTo(to);
    return line.isOpen && line.pending < PENDING_MAX;
  }

  transmit(to: ChannelMember, { isQueue, name }: What, { log: kept, jobs }: Goods): void {
    const messages: ChannelMessage[] = [];
    if (kept) {
      const { position, bounds, passingMs, entries } = kept;
      messages.push({ kind: 'take', name, count: passingMs, bounds, position });
      for (const { offset, ageMs, event } of entries) {
        const at = { offset, epoch: position.epoch };
        messages.push({ kind: 'keep', name, count: ageMs, position: at, value: event });
      }
    }
    for (const value of jobs) messages.push({ kind: 'keepJob', name, value });
    messages.push({ kind: 'offer', flag: isQueue, name, found: true });
    this.#postTo(to).tellAll(messages);
  }

  nothing(to: ChannelMember, { isQueue, name }: What): void {
    if (to.id === this.#options.me) return;
    const bytes = encode({ kind: 'offer', flag: isQueue, name, found: false });
    this.#postTo(to).publish({ name, bytes });
  }

  claim(from: string, { isQueue, name }: What): void {
    const { me } = this.#options;
    const address = this.moves.self?.address ?? '';
    const bytes = encode({ kind: 'claim', flag: isQueue, name, to: me, address });
    this.#posts.get(from)?.publish({ name, bytes });
  }

  moved({ isQueue, name }: What, { clients, log: kept }: Goods, to: ChannelMember): void {
    const where = { to: to.id, address: to.address, position: kept?.position };
    for (const client of clients) client.tell({ kind: 'moved', flag: isQueue, name, ...where });
  }

  reachable(id: string): boolean {
    const line = this.#posts.get(id)?.line;
    return line !== undefined && (line.isOpen || !line.failing);
  }
}

/** Of a channel; `undefined` for a queue, or a channel whose head is missing. */
function logOf(part: Incoming | undefined): Transfer | undefined {
  const { bounds, position, count } = part?.head ?? {};
  if (!part || !bounds || !position) return undefined;
  return { position, bounds, passingMs: count ?? 0, entries: part.entries };
}

const whatOf = ({ flag, name }: { flag: boolean; name: string }): What => ({
  isQueue: flag,
  name,
});
