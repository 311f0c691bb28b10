import type { Effort } from './effort.ts';
import type { Line } from './figures.ts';
import { broadcast } from './rows/broadcast.ts';
import { channel } from './rows/channel.ts';
import { crowd, echoOne, echoSixteen, http, textOne, transports } from './rows/flow.ts';
import { gateway, groups } from './rows/gateway.ts';
import { memory } from './rows/memory.ts';
import { reload } from './rows/reload.ts';
import { spread } from './rows/spread.ts';

/** Measures one thing and gives a line or some. */
export type Bench = (effort: Effort) => Promise<Line[]>;

/** All of them by name, in the order of the table. */
export const BENCHES: Readonly<Record<string, Bench>> = {
  echo: echoOne,
  echo16: echoSixteen,
  text: textOne,
  broadcast,
  http,
  memory,
  spread,
  reload,
  crowd,
  transport: transports,
  channel,
  gateway,
  groups,
};
