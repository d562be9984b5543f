/** `mask-aws-account-id`: an account id is masked before the first text that has it goes to the log. Pure. */
import { input, type Env } from './input.ts';
import type { Workflow } from './workflow.ts';

/** Masks account ids if the input is `true`. parseInputs reports a wrong value later. */
export function withMaskedAccounts(workflow: Workflow, env: Env): Workflow {
  const maskIn = accountMask(workflow, env);
  if (!maskIn) return workflow;
  return {
    ...withMasked(workflow, maskIn),
    debug: (line) => {
      maskIn(line);
      workflow.debug?.(line);
    },
    fail: (failure) => {
      maskIn(failure.render(''));
      workflow.fail(failure);
    },
    setOutput: (name, value) => {
      if (name === 'aws-account-id') maskIn(value);
      workflow.setOutput(name, value);
    },
  };
}

type Speech = Pick<Workflow, 'mask' | 'info' | 'warn' | 'summarize'>;

/** The same for post, which has no more than that. */
export function withMaskedSpeech<Some extends Speech>(workflow: Some, env: Env): Some {
  const maskIn = accountMask(workflow, env);
  return maskIn ? withMasked(workflow, maskIn) : workflow;
}

function withMasked<Some extends Speech>(workflow: Some, maskIn: (text: string) => void): Some {
  return {
    ...workflow,
    info: (line) => {
      maskIn(line);
      workflow.info(line);
    },
    warn: (message) => {
      maskIn(message);
      workflow.warn(message);
    },
    summarize: async (markdown) => {
      maskIn(markdown);
      await workflow.summarize(markdown);
    },
  };
}

/** @returns undefined if the input is off */
function accountMask({ mask }: Pick<Workflow, 'mask'>, env: Env): ((text: string) => void) | undefined {
  if (input(env, 'mask-aws-account-id') !== 'true') return undefined;
  const masked = new Set<string>();
  const maskIn = (text: string): void => {
    for (const id of accountIdsIn(text, env['GITHUB_RUN_ID'])) {
      if (masked.has(id)) continue;
      masked.add(id);
      mask(id);
    }
  };
  for (const name of ['allowed-account-ids', 'role-to-assume', 'keys']) maskIn(input(env, name));
  return maskIn;
}

/**
 * Every number of 12 digits, also as AWS's console writes it (1111-2222-3333) and behind a percent code, so that no form
 * of an id is forgotten. A mask hides its text in later steps, too: `other` is a number that is known to be something else.
 */
export function accountIdsIn(text: string, other = ''): string[] {
  const found = text.matchAll(/(?:(?<!\d)|(?<=%[\da-f]{2}))(?:\d{12}|\d{4}-\d{4}-\d{4})(?!\d)/gi);
  return [...found].map(([id]) => id).filter((id) => id !== other);
}
