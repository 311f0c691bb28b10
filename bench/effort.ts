/** How much work a run of the benches is. */
export type Effort = {
  readonly name: 'full' | 'quick' | 'smoke';
  /** Rounds of each contestant, in turns. */
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
  /** Connections that are busy. */
  readonly busy: number;
  /** Clients of a broadcast. */
  readonly listeners: number;
  /** Connections whose memory is measured, or that sit beside the busy ones. */
  readonly idle: number;
  readonly memoryRuns: number;
  /** Rest before memory is read. */
  readonly quietMs: number;
  /** Connections that four processes share. */
  readonly shared: number;
  readonly stormPerSecond: number;
  readonly stormMs: number;
  /** Clients of a gateway, each in 20 groups of its own and of another. */
  readonly members: number;
  /** Messages to groups whose cost is looked at. */
  readonly groupSends: number;
  /** Reloads during a storm. */
  readonly reloads: number;
};

export const EFFORTS: Readonly<Record<Effort['name'], Effort>> = {
  full: {
    name: 'full',
    members: 10_000,
    groupSends: 50_000,
    rounds: 7,
    roundMs: 3000,
    warmUpMs: 2000,
    busy: 64,
    listeners: 500,
    idle: 10_000,
    memoryRuns: 3,
    quietMs: 2000,
    shared: 4000,
    stormPerSecond: 2000,
    stormMs: 10_000,
    reloads: 3,
  },
  quick: {
    name: 'quick',
    members: 10_000,
    groupSends: 20_000,
    rounds: 3,
    roundMs: 1000,
    warmUpMs: 1000,
    busy: 64,
    listeners: 500,
    idle: 10_000,
    memoryRuns: 1,
    quietMs: 2000,
    shared: 4000,
    stormPerSecond: 2000,
    stormMs: 4000,
    reloads: 1,
  },
  smoke: {
    name: 'smoke',
    members: 20,
    groupSends: 50,
    rounds: 1,
    roundMs: 100,
    warmUpMs: 20,
    busy: 4,
    listeners: 10,
    idle: 20,
    memoryRuns: 1,
    quietMs: 100,
    shared: 80,
    stormPerSecond: 0,
    stormMs: 0,
    reloads: 0,
  },
};
