/** `mask-aws-account-id`: an account id is masked before the first text that has it goes to the log. Pure. */
import { input, type Env } from './input.ts';
import type { Workflow } from './workflow.ts';

/** Masks account ids if the input is `true`. parseInputs reports a wrong value later. */
export function withMaskedAccounts(workflow: Workflow, env: Env): Workflow {
  if (input(env, 'mask-aws-account-id') !== 'true') return workflow;
  const masked = new Set<string>();
  const maskIn = (text: string): void => {
    for (const id of accountIdsIn(text, env['GITHUB_RUN_ID'])) {
      if (masked.has(id)) continue;
      masked.add(id);
      workflow.mask(id);
    }
  };
  for (const name of ['allowed-account-ids', 'role-to-assume', 'keys']) maskIn(input(env, name));
  return {
    ...workflow,
    info: (line) => {
      maskIn(line);
      workflow.info(line);
    },
    debug: (line) => {
      maskIn(line);
      workflow.debug?.(line);
    },
    warn: (message) => {
      maskIn(message);
      workflow.warn(message);
    },
    fail: (failure) => {
      maskIn(failure.render(''));
      workflow.fail(failure);
    },
    setOutput: (name, value) => {
      if (name === 'aws-account-id') maskIn(value);
      workflow.setOutput(name, value);
    },
    summarize: async (markdown) => {
      maskIn(markdown);
      await workflow.summarize(markdown);
    },
  };
}

/**
 * Every number of 12 digits, also as AWS's console writes it (1111-2222-3333) and behind a percent code, so that no form
 * of an id is forgotten. A mask hides its text in later steps, too: `other` is a number that is known to be something else.
 */
export function accountIdsIn(text: string, other = ''): string[] {
  const found = text.matchAll(/(?:(?<!\d)|(?<=%[\da-f]{2}))(?:\d{12}|\d{4}-\d{4}-\d{4})(?!\d)/gi);
  return [...found].map(([id]) => id).filter((id) => id !== other);
}
