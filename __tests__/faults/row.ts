/** One row of the table of faults: main, started like by the runner, with a fault in one call. */
import { dirname } from 'node:path';
import { startReadyWorld } from '../support/aws/world.ts';
import { createJob, type StepResult } from '../support/runner/job.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { calls, furnish, type FaultyCall } from './calls.ts';
import { openPlaces, placesFor, type Places } from './places.ts';
import { troubles, type Trouble } from './troubles.ts';

export interface Row {
  readonly call: FaultyCall;
  readonly trouble: Trouble;
  readonly promised: 'ok' | readonly string[];
}

export interface Outcome {
  /** `ok`, or the codes of the reported errors. */
  readonly code: string;
  readonly milliseconds: number;
  /** Broken promises; empty if there are none. */
  readonly wrong: readonly string[];
  /** It took much longer than the time limit. On a busy machine that may be the machine's fault. */
  readonly late: boolean;
  readonly log: string;
}

/** The step's time limit in seconds, unless the fault sets it. */
const limit = 8;
/** An overcome fault takes a part of it, and a busy machine the rest. */
const limitOfOnce = 24;
/** Additional milliseconds: Node starts before the limit begins, and cleans up after it. */
const grace = 3_500;

export const rows: readonly Row[] = calls.flatMap((call) =>
  troubles.flatMap((trouble) => {
    const promised = trouble.promise(call);
    return promised === undefined ? [] : [{ call, trouble, promised }];
  }),
);

export interface Ground {
  readonly run: (row: Row) => Promise<Outcome>;
  readonly close: () => Promise<void>;
}

/** @param actionPath the folder of action.yml and dist */
export async function openGround(actionPath = dirname(dirname(import.meta.dirname))): Promise<Ground> {
  const [key, other, { places, close }] = await Promise.all([makeSshKey(), makeSshKey(), openPlaces()]);
  const texts = [key.privateKey, other.privateKey] as const;
  return { run: async (row) => await runRow(row, { actionPath, texts, places }), close };
}

interface Around {
  readonly actionPath: string;
  /** The texts of private keys. */
  readonly texts: readonly [string, string];
  readonly places: Places;
}

async function runRow(
  { call, trouble, promised }: Row,
  { actionPath, texts, places }: Around,
): Promise<Outcome> {
  const { ahead = 0 } = trouble;
  const world = await startReadyWorld({ clock: () => new Date(Date.now() + ahead) });
  furnish(world.aws, texts);
  const env = call.env(world);
  const asked = { aws: world.aws, faults: world.aws.faults };
  const arranged = trouble.arrange(call, asked, placesFor(call, places));
  const job = createJob({ actionPath, env: { ...env, ...arranged.env } });
  const seconds = trouble.name.endsWith(', once') ? limitOfOnce : limit;
  const inputs = { ...call.inputs, 'timeout-seconds': String(seconds), ...arranged.inputs };
  const started = performance.now();
  try {
    const main = await job.uses({ with: inputs });
    const milliseconds = Math.round(performance.now() - started);
    const { code, text } = toldOf(main);
    const isAsked = world.aws.calls.some(({ operation }) => operation === call.operation);
    const led = arranged.env !== undefined;
    const wrong = [
      code === promised || promised.includes(code)
        ? []
        : `${code} instead of ${[promised].flat().join(' or ')}`,
      led || isAsked ? [] : `${call.operation} was never asked for`,
      code === 'ok' ? [] : errorWrong(main, text, { call, trouble }),
      leaks(main, [...texts, env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? '']),
    ].flat();
    if (code === 'ok') await job.finish();
    const left = [...job.processes().map(({ command }) => command), ...job.files().map(({ path }) => path)];
    const late = milliseconds > Number(inputs['timeout-seconds']) * 1000 + grace;
    return {
      code,
      milliseconds,
      late,
      wrong: [...wrong, ...left.map((one) => `left: ${one}`)],
      log: main.log,
    };
  } finally {
    job.dispose();
    await world.stop();
  }
}

function toldOf({ annotations, exitCode }: StepResult): { code: string; text: string } {
  const errors = annotations.filter(({ level }) => level === 'error');
  const text = errors.map(({ message }) => message).join('\n');
  if (errors.length === 0) return { code: exitCode === 0 ? 'ok' : `exit ${exitCode}`, text };
  return { code: errors.map(({ title }) => title).join(), text };
}

function errorWrong(main: StepResult, text: string, { call, trouble }: Omit<Row, 'promised'>): string[] {
  const [what = '', hint = '', ...more] = text.split('\n');
  return [
    what.startsWith('ssm-ssh-agent: ') && hint.startsWith('hint: ') && more.length === 0
      ? []
      : 'not two lines',
    call.names.test(text) || /expired/.test(text) ? [] : `does not name the service: ${text}`,
    !trouble.says || trouble.says.test(text) ? [] : `does not say ${String(trouble.says)}: ${text}`,
    Object.keys({ ...main.env, ...main.outputs }).length === 0 ? [] : 'something was handed over',
  ].flat();
}

/** Text that must not be in a log: bundle code and secrets. */
function leaks({ log }: StepResult, secrets: readonly string[]): string[] {
  const lines = secrets
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.length > 20 && !line.startsWith('---'));
  return [
    /^\s+at \S+.*:\d+:\d+\)?$|unsettled|webpack|dist\/main/m.test(log) ? 'bundle text in the log' : [],
    lines.some((line) => log.includes(line)) ? 'a secret in the log' : [],
  ].flat();
}
