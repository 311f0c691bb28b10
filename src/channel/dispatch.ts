import { monotonicMs } from '../monotonic.ts';
import type { Broker } from './broker.ts';
import type { Fellows, Forwarded } from './fellows.ts';
import { type ChannelMessage, decode, type MessageOf } from './format.ts';
import type { What } from './moves.ts';
import type { ChannelMember } from './owners.ts';
import type { Session } from './session.ts';
import { countDropped } from './stats.ts';

/** Bytes that wait until names have settled: beyond it clients are not read, beyond the second nothing is kept. */
const HELD_MAX = 8_388_608;
const HELD_LIMIT = 67_108_864;
/** Servers whose lists differ send a message on so often. */
const HOPS_MAX = 40;

type Asking = MessageOf<'subscribe'> | MessageOf<'watch'>;
type Following = MessageOf<'unsubscribe'> | MessageOf<'unwatch'> | MessageOf<'reserve'>;

/** What a server does about each message of a client or of another server. */
export class Dispatch {
  readonly #broker: Broker;
  /** The other servers, if there are any. */
  readonly #fellows: Fellows | undefined;
  #held = 0;

  constructor(broker: Broker, fellows: Fellows | undefined) {
    this.#broker = broker;
    this.#fellows = fellows;
  }

  /** @returns false if it is nothing that this peer may say */
  handle(session: Session, message: ChannelMessage): boolean {
    switch (message.kind) {
      case 'alive':
        session.tell(message);
        return true;
      case 'sync':
        this.#sync(session, message.id);
        return true;
      case 'publish':
      case 'enqueue':
        this.#pass(session, message, 0);
        return true;
      case 'subscribe':
      case 'watch':
        this.#ask(session, message);
        return true;
      case 'unsubscribe':
      case 'unwatch':
      case 'reserve':
        this.#follow(session, message);
        return true;
      case 'done':
        this.#broker.done(session, message);
        return true;
      default:
        return this.#fellow(session, message);
    }
  }

  /** A client or server is gone. */
  gone(session: Session): void {
    for (const message of this.#broker.drop(session)) this.#pass(session, message, 0);
  }

  #fellow(session: Session, message: ChannelMessage): boolean {
    if (session.member === undefined || !this.#fellows) return false;
    if (message.kind !== 'forward') return this.#fellows.heard(session, message);
    const inner = decode(message.value);
    const { kind } = inner;
    if (kind !== 'publish' && kind !== 'enqueue' && kind !== 'giveBack') return false;
    this.#pass(session, inner, message.count);
    return true;
  }

  #place(what: What): 'here' | 'busy' | ChannelMember {
    return this.#fellows?.moves.place(what, monotonicMs()) ?? 'here';
  }

  /** @param waited it was held, so others had their time to agree with us */
  #pass(session: Session, message: Forwarded, hops: number, waited = false): void {
    const what = { isQueue: message.kind !== 'publish', name: message.name };
    const place = this.#place(what);
    if (place === 'here') {
      this.#do(session, message);
    } else if (place === 'busy' || (hops > 0 && !waited)) {
      if (place !== 'busy') this.#fellows?.moves.wait(what, monotonicMs());
      if (this.#mayHold(session)) {
        const again = () => this.#pass(session, message, hops, true);
        this.#hold(session, what, message.value.length, again);
      } else countDropped();
    } else if (hops < HOPS_MAX && this.#fellows?.forward(place, message, hops + 1)) {
      session.forwardedTo.add(place.id);
    } else countDropped();
  }

  #do(session: Session, message: Forwarded): void {
    if (message.kind === 'publish') this.#broker.publish(message);
    else if (message.kind === 'giveBack') this.#broker.giveBack(message);
    else this.#broker.enqueue(session.member === undefined ? session : undefined, message);
  }

  #ask(session: Session, message: Asking, waited = false): void {
    const what = { isQueue: message.kind === 'watch', name: message.name };
    const place = this.#place(what);
    if (place === 'here') {
      if (message.kind === 'watch') this.#broker.watch(session, message.name);
      else session.whenRoom(() => this.#broker.subscribe(session, message));
    } else if (place === 'busy' || !waited) {
      if (place !== 'busy') this.#fellows?.moves.wait(what, monotonicMs());
      this.#hold(session, what, 0, () => this.#ask(session, message, true));
    } else {
      const { id: to, address } = place;
      session.tell({ kind: 'moved', flag: what.isQueue, name: what.name, to, address });
    }
  }

  #follow(session: Session, message: Following): void {
    const what = { isQueue: message.kind !== 'unsubscribe', name: message.name };
    if (this.#place(what) === 'busy') {
      this.#hold(session, what, 0, () => this.#follow(session, message));
      return;
    }
    const broker = this.#broker;
    if (message.kind === 'reserve') broker.reserve(session, message.name);
    else if (message.kind === 'unwatch') broker.unwatch(session, message.name);
    else session.whenRoom(() => broker.unsubscribe(session, message.name));
  }

  #mayHold(session: Session): boolean {
    if (session.member !== undefined) return this.#held < HELD_LIMIT;
    if (this.#held >= HELD_MAX && session.held > 0) {
      session.connection.pauseRecv();
      session.whenNoneHeld.push(() => session.connection.resumeRecv());
    }
    return true;
  }

  #hold(session: Session, what: What, bytes: number, run: () => void): void {
    session.held += 1;
    this.#held += bytes;
    this.#fellows?.moves.hold(what, () => {
      this.#held -= bytes;
      run();
      session.released();
    });
  }

  /** Answers when all that came before is in a log or with its subscribers, also what went on to others. */
  #sync(session: Session, id: number): void {
    const synced = () => session.tell({ kind: 'synced', id });
    const go = () => {
      const ids = [...session.forwardedTo];
      session.forwardedTo.clear();
      if (this.#fellows && ids.length > 0) this.#fellows.sync(ids, synced);
      else synced();
    };
    if (session.held > 0) session.whenNoneHeld.push(go);
    else go();
  }
}
