/** Dashboards from short definitions: what Grafana wants to be told of each panel is written once, here. */

export type Query = {
  readonly expr: string;
  /** As in `{{pod}}`; a column's name in a table. */
  readonly legend: string;
  /** Of this column of a table. */
  readonly unit?: string;
};

export type Panel = {
  readonly kind: 'stat' | 'graph' | 'table';
  readonly title: string;
  readonly description: string;
  readonly queries: readonly Query[];
  /** Of Grafana: `short`, `bytes`, `s`, `percentunit`, `cps` … */
  readonly unit?: string;
  /** Of 24. Default: 4 for a number, 8 for a graph, 24 for a table. */
  readonly width?: number;
  readonly stacked?: boolean;
  /** From here on it is red. */
  readonly red?: number;
  /** It may go below zero. */
  readonly isSigned?: boolean;
  /** A number that does not matter: what is shown is its legend. */
  readonly isName?: boolean;
};

export type Row = { readonly title: string; readonly panels: readonly Panel[] };
export type Variable = { readonly name: string; readonly query: string };

export type Dashboard = {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
};

const SCHEMA_VERSION = 41;
const SOURCE = { type: 'prometheus', uid: '$datasource' };
const WIDTH = { stat: 4, graph: 8, table: 24 } as const;
const HEIGHT = { stat: 4, graph: 8, table: 9 } as const;

export function dashboardFile({ uid, title, description, variables, rows }: Dashboard): string {
  const dashboard = {
    uid,
    title,
    description,
    tags: ['longshore'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: '',
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        tags: ['longshore'],
        title: 'Longshore',
        asDropdown: true,
        keepTime: true,
      },
    ],
    templating: { list: [datasource(), ...variables.map(variable)] },
    panels: placed(rows),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

function datasource(): object {
  return {
    type: 'datasource',
    name: 'datasource',
    label: 'Data source',
    query: 'prometheus',
    hide: 0,
  };
}

function variable({ name, query }: Variable): object {
  return {
    type: 'query',
    name,
    label: name,
    datasource: SOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  };
}

/** From left to right, and a new line where there is no room. */
function placed(rows: readonly Row[]): object[] {
  const all: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: at(0, y, 24, 1),
      panels: [],
    });
    y += 1;
    let [x, height] = [0, 0];
    for (const panel of panels) {
      const [w, h] = [panel.width ?? WIDTH[panel.kind], HEIGHT[panel.kind]];
      if (x + w > 24) [x, y, height] = [0, y + height, 0];
      all.push({ id: all.length + 1, gridPos: at(x, y, w, h), ...drawn(panel) });
      [x, height] = [x + w, Math.max(height, h)];
    }
    y += height;
  }
  return all;
}

const at = (x: number, y: number, w: number, h: number) => ({ x, y, w, h });

function drawn(panel: Panel): object {
  const { title, description, queries } = panel;
  const isTable = panel.kind === 'table';
  const isNow = panel.kind !== 'graph';
  return {
    title,
    description,
    datasource: SOURCE,
    targets: queries.map(({ expr, legend }, i) => ({
      refId: ref(i),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: !isNow,
      instant: isNow,
      ...(isTable ? { format: 'table' } : {}),
    })),
    ...LOOKS[panel.kind](panel),
  };
}

const LOOKS = { stat, graph, table } as const;
const ref = (i: number) => String.fromCharCode(65 + i);

function thresholds(red: number | undefined): object {
  const steps = [
    { color: 'green', value: null },
    ...(red === undefined ? [] : [{ color: 'red', value: red }]),
  ];
  return { mode: 'absolute', steps };
}

function stat({ unit = 'short', red, isName = false }: Panel): object {
  return {
    type: 'stat',
    fieldConfig: { defaults: { unit, thresholds: thresholds(red) }, overrides: [] },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: red === undefined ? 'none' : 'value',
      graphMode: 'none',
      textMode: isName ? 'name' : 'auto',
    },
  };
}

function graph({ unit = 'short', stacked = false, red, isSigned = false }: Panel): object {
  const custom = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: stacked ? 30 : 5,
    showPoints: 'never',
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: red === undefined ? 'off' : 'line' },
  };
  return {
    type: 'timeseries',
    fieldConfig: {
      defaults: { unit, ...(isSigned ? {} : { min: 0 }), custom, thresholds: thresholds(red) },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

function table({ queries }: Panel): object {
  const names = queries.map(({ legend }, i) => [`Value #${ref(i)}`, legend] as const);
  const overrides = queries.flatMap(({ legend, unit }) =>
    unit === undefined
      ? []
      : [{ matcher: { id: 'byName', options: legend }, properties: [{ id: 'unit', value: unit }] }],
  );
  return {
    type: 'table',
    fieldConfig: { defaults: { unit: 'short', custom: { filterable: true } }, overrides },
    options: { showHeader: true, cellHeight: 'sm', footer: { show: false } },
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: { excludeByName: { Time: true }, renameByName: Object.fromEntries(names) },
      },
    ],
  };
}
