import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** What an administrator of NATS can do, and any other program on the same servers. */
export class Manager {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamManager;

  private constructor(connection: NatsConnection, jetstream: JetStreamManager) {
    this.connection = connection;
    this.jetstream = jetstream;
  }

  static async of(...addresses: string[]): Promise<Manager> {
    const connection = await connect({ servers: addresses });
    return new Manager(connection, await jetstreamManager(connection, { checkAPI: false }));
  }

  /** Asks until the answer is good; servers are asked every 20 ms. */
  async until<T>(
    ask: (jetstream: JetStreamManager) => Promise<T>,
    good: (answer: T) => boolean,
  ): Promise<T> {
    const end = Date.now() + 15_000;
    for (;;) {
      const answer = await ask(this.jetstream).catch((error: Error) => error);
      if (!(answer instanceof Error) && good(answer)) return answer;
      if (Date.now() > end) throw new Error(`never came true; last: ${JSON.stringify(answer)}`);
      await new Promise((next) => setTimeout(next, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}
