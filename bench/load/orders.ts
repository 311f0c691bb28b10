import type { FanoutPlan } from './fanout.ts';
import type { FlowPlan, Ran } from './flow.ts';
import type { StormPlan, Weather } from './storm.ts';
import type { TopicPlan } from './topic.ts';

/** What a load process can be told, over its IPC channel. */
export type Order =
  | ({ readonly do: 'flow' } & FlowPlan)
  | ({ readonly do: 'fanout' } & FanoutPlan)
  | ({ readonly do: 'topic' } & TopicPlan)
  | ({ readonly do: 'storm' } & StormPlan)
  | { readonly do: 'run'; readonly client: number; readonly ms: number }
  | { readonly do: 'close'; readonly client: number };

/** What each order gives. `flow`, `fanout` and `topic` give the number of the client they made. */
export type Results = {
  flow: number;
  fanout: number;
  topic: number;
  storm: Weather;
  run: Ran;
  close: true;
};

export type Asked = { readonly id: number; readonly order: Order };
export type Told = { readonly id: number; readonly result?: unknown; readonly error?: string };
