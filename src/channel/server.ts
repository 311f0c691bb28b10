import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { peers } from '../child/peers.ts';
import { leaving } from '../connections/connection.ts';
import type { TcpConnection } from '../connections/tcp.ts';
import { CHANNEL_PORT, CHANNEL_SERVER, ENV } from '../contract.ts';
import { receive } from '../inner/handshake.ts';
import { checkPositive, innerAddress, innerWorker } from '../inner/port.ts';
import { secretOf } from '../inner/secret.ts';
import type { ListenOptions } from '../listeners/listener.ts';
import type { SslOptions } from '../listeners/tls.ts';
import { log } from '../log.ts';
import { monotonicMs } from '../monotonic.ts';
import { checkKinds, type KindsOf } from '../option-checks.ts';
import { Worker } from '../worker.ts';
import { Broker } from './broker.ts';
import { Dispatch } from './dispatch.ts';
import { Fellows } from './fellows.ts';
import { type ChannelMessage, channelProtocol, FORMAT_VERSION } from './format.ts';
import { listOf } from './owners.ts';
import { Session } from './session.ts';
import { channelStats, zeroChannelStats } from './stats.ts';
import { Turn } from './turn.ts';

/** What a `ChannelServer` can be told. */
export type ChannelServerOptions = {
  /** What clients must know. Default: `LONGSHORE_SECRET_FILE` or `LONGSHORE_SECRET`; without any, everybody may. */
  readonly secret?: string;
  /** TLS on the port. */
  readonly ssl?: SslOptions;
  /** Bytes of all histories together. Default 64 MiB. */
  readonly historyBytes?: number;
  /** Jobs that may wait in one queue. Default 100,000. */
  readonly queueJobs?: number;
  /** Bytes of all jobs together. Default 64 MiB. */
  readonly queueBytes?: number;
  /** Bytes that may wait for one subscriber. Default 8 MiB. */
  readonly subscriberBytes?: number;
  /** The other servers, and this one, as clients name them. Default: `LONGSHORE_CHANNEL`, or whom the operator names. */
  readonly members?: string | readonly string[];
  /**
   * Which of them this one is. Default: `LONGSHORE_MEMBER`; without any, it is alone.
   */
  readonly member?: string;
  /** How to connect to the others, where they have `ssl`. */
  readonly tls?: ConnectionOptions | true;
  /** Seconds between signs of life; a client that was silent for three of them is gone. Default 10. */
  readonly heartbeat?: number;
};

const KINDS: KindsOf<ChannelServerOptions> = {
  secret: 'text',
  ssl: 'group',
  historyBytes: 'number',
  queueJobs: 'number',
  queueBytes: 'number',
  subscriberBytes: 'number',
  members: 'textOrTexts',
  member: 'text',
  tls: 'flagOrGroup',
  heartbeat: 'number',
};

const MIB = 1_048_576;
const DEFAULTS = {
  historyBytes: 64 * MIB,
  queueJobs: 100_000,
  queueBytes: 64 * MIB,
  subscriberBytes: 8 * MIB,
  heartbeat: 10,
};
/** How often the levels are counted that change with every message. */
const COUNT_MS = 1000;
const POLL_MS = 20;

type Client = TcpConnection<ChannelMessage, ChannelMessage>;

/**
 * Publish and subscribe between processes: a Worker with one process. What is published reaches every client that is
 * subscribed at that moment, the publisher itself included, in order for each publisher. Channels with history keep what
 * was published for those who were away; queues keep jobs until somebody has done them.
 *
 * A program need not make one: the master runs one for a `ChannelClient` that was given no address. Make one to reach it
 * from other machines.
 *
 * @example
 * new ChannelServer('0.0.0.0:2206', { secret: 'known to both' });
 */
export class ChannelServer extends Worker<string, typeof channelProtocol> {
  readonly #sessions = new Map<Client, Session>();
  readonly #turn = new Turn((flush) => setImmediate(flush));
  readonly #broker: Broker;
  readonly #options: ChannelServerOptions & typeof DEFAULTS;
  #dispatch: Dispatch | undefined = undefined;
  #fellows: Fellows | undefined = undefined;
  #leaving = false;
  #draining = false;

  /**
   * @param address `HOST:PORT` or `unix:///path`. Default: port 2206 of 127.0.0.1.
   * @throws {RangeError} `OPTION_INVALID`
   */
  constructor(address: string = `127.0.0.1:${CHANNEL_PORT}`, options: ChannelServerOptions = {}) {
    checkKinds(options, KINDS);
    const known = { ...DEFAULTS, ...options };
    checkPositive(known, Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]);
    super(innerAddress(address), innerWorker(CHANNEL_SERVER, channelProtocol, known));
    this.#options = known;
    this.#broker = new Broker(known);
    this.onWorkerStart = () => {
      channelStats.current = zeroChannelStats();
      setInterval(() => {
        this.#broker.count();
        this.#comeBack();
      }, COUNT_MS).unref();
    };
    this.onDrain = () => this.#leave();
    this.onConnect = (connection) => {
      const { secret } = options;
      const reception = { name: 'channel', version: FORMAT_VERSION, secret };
      receive(connection, { ...reception, leaving: () => this.#leaving }, ({ member }) =>
        this.#admit(connection, member),
      );
    };
    this.onError = (connection, code, message) =>
      log.warn(`channel: ${connection.getRemoteAddress()}: ${code} ${message}`);
  }

  override async listen(how: ListenOptions = {}): Promise<void> {
    // One that cannot be read is told now, not to each client.
    secretOf(this.#options.secret);
    // The others connect as soon as they hear of us, so they hear of us when we listen.
    const first = this.#begin();
    await super.listen(how);
    if (first) this.#lookForOthers();
  }

  /** @returns whether it is the first time */
  #begin(): boolean {
    if (this.#dispatch) return false;
    const { member = process.env[ENV.member], secret, tls, heartbeat } = this.#options;
    if (member) {
      const options = { me: member, secret, tls, heartbeat };
      this.#fellows = new Fellows(this.#broker, options);
    }
    this.#dispatch = new Dispatch(this.#broker, this.#fellows);
    return true;
  }

  #lookForOthers(): void {
    const { members } = this.#options;
    const fellows = this.#fellows;
    if (members) fellows?.setMembers(listOf(members).members);
    else if (fellows) {
      const look = () => fellows.setMembers(peers.far('channel')?.members ?? []);
      look();
      peers.watch('channel', look);
    }
  }

  #admit(connection: Client, member: string | undefined): void {
    const session = new Session(connection, this.#turn, {
      maxBytes: this.#options.subscriberBytes,
    });
    session.member = member;
    if (member !== undefined) this.#fellows?.greeted(member);
    this.#sessions.set(connection, session);
    connection.onMessage = (_, next) => this.#handle(session, next);
    connection.onClose = () => this.#gone(session);
  }

  #gone(session: Session): void {
    this.#sessions.delete(session.connection);
    this.#dispatch?.gone(session);
    this.#broker.count();
  }

  #handle(session: Session, message: ChannelMessage): void {
    if (!this.#dispatch?.handle(session, message))
      session.connection.close({
        kind: 'refused',
        reason: `a ${message.kind} is not for this server`,
      });
    if (message.kind !== 'publish') this.#broker.count();
  }

  /** Says that all it has goes to others, and begins with it. */
  #leave(): void {
    if (this.#leaving || !this.#fellows) return;
    this.#leaving = true;
    for (const session of this.#sessions.values()) session.tell({ kind: 'leaving' });
    this.#fellows.moves.setLeaving(this.#fellows.me, true, monotonicMs());
  }

  /** A drain was called off. */
  #comeBack(): void {
    if (this.#draining && !leaving.now && this.#fellows) {
      this.#leaving = false;
      this.#fellows.moves.setLeaving(this.#fellows.me, false, monotonicMs());
    }
    this.#draining = leaving.now;
  }

  /** @internal Hands all it has to other servers, and lets clients follow. */
  override async beforeLeave(ms: number): Promise<void> {
    this.#leave();
    const moves = this.#fellows?.moves;
    if (!moves?.hasOthers) return;
    const busy = () => !moves.isTidy || [...this.#sessions.values()].some(({ member }) => !member);
    for (const end = monotonicMs() + ms; busy() && monotonicMs() < end; ) await sleep(POLL_MS);
    if (!moves.isTidy) log.warn(`channel: not everything was given away within ${ms / 1000} s`);
  }
}
