import { dial } from './dial.ts';
import type { Client, Ran } from './flow.ts';
import { maskedFrame, maskOf, plainFrame, textOf } from './frames.ts';
import { Round } from './round.ts';
import type { Wire } from './wire.ts';

/** Clients that all get what one of them says, and say the next thing when everybody has it. */
export type FanoutPlan = {
  readonly port: number;
  /** Listeners; one more speaks, and hears itself too. */
  readonly listeners: number;
  readonly dialect: 'plain' | 'socket.io';
};

const MESSAGES = 4096;

const DIALECTS = {
  plain: {
    greeting: 'websocket',
    say: (text: string) => text,
    hear: (text: string) => text,
  },
  'socket.io': {
    greeting: 'socket.io',
    say: (text: string) => `42["say","${text}"]`,
    hear: (text: string) => `42["message","${text}"]`,
  },
} as const;

export class Fanout implements Client {
  readonly #wires: Wire[];
  readonly #messages: Buffer[];
  readonly #roundBytes: number;
  #next = 0;
  #left = 0;
  #answers = 0;
  readonly #round = new Round('a broadcast is not through');

  static async open({ port, listeners, dialect }: FanoutPlan): Promise<Fanout> {
    const { greeting, say, hear } = DIALECTS[dialect];
    const wires = await dial(port, listeners + 1, greeting);
    const expected = plainFrame(hear(textOf(0)));
    const heard = (bytes: Buffer) => bytes.length >= expected.length;
    const others = wires.slice(1).map((wire) => wire.ask(Buffer.alloc(0), heard));
    const own = (wires[0] as Wire).ask(maskedFrame(say(textOf(0)), maskOf(0)), heard);
    for (const got of await Promise.all([own, ...others]))
      if (!got.equals(expected)) throw new Error(`a listener got ${got} instead of ${expected}`);
    const messages = Array.from({ length: MESSAGES }, (_, i) =>
      maskedFrame(say(textOf(i)), maskOf(i)),
    );
    return new Fanout(wires, messages, expected.length);
  }

  private constructor(wires: Wire[], messages: Buffer[], frameBytes: number) {
    this.#wires = wires;
    this.#messages = messages;
    this.#roundBytes = frameBytes * wires.length;
    for (const wire of wires) {
      wire.receive = (_, size) => this.#received(size);
      wire.lost = (error) => this.#round.failed(error);
    }
  }

  #received(size: number): void {
    this.#left -= size;
    if (this.#left > 0) return;
    if (this.#left < 0) this.#round.failed(new Error(`${-this.#left} bytes too many`));
    this.#answers += this.#wires.length;
    if (this.#round.isOn) this.#say();
    else this.#round.through();
  }

  #say(): void {
    this.#left = this.#roundBytes;
    this.#wires[0]?.write(this.#messages[this.#next] as Buffer);
    this.#next = (this.#next + 1) % this.#messages.length;
  }

  async run(ms: number): Promise<Ran> {
    this.#answers = 0;
    const took = await this.#round.run(ms, () => this.#say());
    return { answers: this.#answers, ms: took };
  }

  close(): void {
    for (const wire of this.#wires) wire.close();
  }
}
