import type { EngineEvents, EngineOptions, Position, Recovery } from '../../src/channel/engine.ts';
import { NatsEngine } from '../../src/channel/nats.ts';
import { listOf } from '../../src/channel/owners.ts';

const engines: NatsEngine[] = [];

/** For `afterEach`. */
export function endEngines(): void {
  for (const engine of engines.splice(0)) engine.close();
}

/** An engine on NATS by itself, and what it has told. */
export class Recorder implements EngineEvents {
  readonly engine: NatsEngine;
  readonly events: [string, string, number | undefined][] = [];
  readonly recoveries: Recovery[] = [];
  readonly told: string[] = [];
  readonly #positions = new Map<string, Position>();

  constructor(address: string, options: EngineOptions = {}) {
    this.engine = new NatsEngine(listOf(address), this, options);
    engines.push(this.engine);
    this.engine.connect();
  }

  event(channel: string, value: Buffer, position?: Position): void {
    this.events.push([channel, String(value), position?.offset]);
    if (position) this.#positions.set(channel, position);
  }

  recovery(answer: Recovery, position: Position): void {
    this.recoveries.push(answer);
    this.#positions.set(answer.channel, position);
  }

  lost(): void {}
  job(queue: string, value: Buffer, done: () => void): void {
    this.told.push(`job ${queue} ${value}`);
    done();
  }

  refused(queue: string, count: number): void {
    this.told.push(`refused ${queue} ${count}`);
  }

  connect(): void {
    this.told.push('connect');
  }

  close(): void {
    this.told.push('close');
  }

  error(code: string, message: string): void {
    this.told.push(`${code} ${message}`);
  }

  positionOf(channel: string): Position | undefined {
    return this.#positions.get(channel);
  }

  says(what: RegExp): boolean {
    return this.told.some((each) => what.test(each));
  }

  get values(): string[] {
    return this.events.map(([, value]) => value);
  }
}
