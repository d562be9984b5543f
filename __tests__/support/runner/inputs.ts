/** A step's `with:` for the action: INPUT_ variables with defaults, and the runner's warnings. */
import { inputVariable } from './action-file.ts';
import type { ActionFile } from './action-file.ts';
import type { GithubContext } from './environment.ts';
import type { StepLog } from './workflow-commands.ts';

export type Inputs = Readonly<Record<string, string>>;

/** Unknown inputs are also passed on, and required inputs are not enforced. */
export function inputVariables(
  action: ActionFile,
  given: Inputs,
  github: GithubContext,
): Record<string, string> {
  const defaults = [...action.inputs].map(
    ([name, input]) => [name, expand(input.default ?? '', github)] as const,
  );
  const all = [...defaults, ...Object.entries(given)];
  return Object.fromEntries(all.map(([name, value]) => [inputVariable(name), value]));
}

/** The only kind of expression that defaults use in practice. */
function expand(text: string, github: GithubContext): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_whole, expression: string) => {
    const [, name] = /^github\.(\w+)$/.exec(expression) ?? [];
    if (name === undefined) throw new Error(`cannot evaluate '${expression}'`);
    return github[name] ?? '';
  });
}

export function remarkOnInputs(action: ActionFile, given: Inputs, log: StepLog): void {
  const known = new Map([...action.inputs].map(([name, input]) => [name.toLowerCase(), input]));
  const quote = (names: Iterable<string>): string => [...names].map((name) => `'${name}'`).join(', ');
  const unexpected = Object.keys(given).filter((name) => !known.has(name.toLowerCase()));
  if (unexpected.length > 0) {
    const message = `Unexpected input(s) ${quote(unexpected)}, valid inputs are [${quote(action.inputs.keys())}]`;
    log.annotate({ level: 'warning', message });
  }
  for (const name of Object.keys(given)) {
    const deprecation = known.get(name.toLowerCase())?.deprecationMessage;
    if (deprecation === undefined) continue;
    log.annotate({
      level: 'warning',
      message: `Input '${name}' has been deprecated with message: ${deprecation}`,
    });
  }
}
