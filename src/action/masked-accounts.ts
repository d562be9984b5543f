/** `mask-aws-account-id`: an account id is masked before the first text that has it goes to the log. Pure. */
import { input, list, type Env } from './input.ts';
import type { Workflow } from './workflow.ts';

/** Masks account ids if the input is `true`. parseInputs reports a wrong value later. */
export function withMaskedAccounts(workflow: Workflow, env: Env): Workflow {
  if (input(env, 'mask-aws-account-id') !== 'true') return workflow;
  const masked = new Set<string>();
  const maskIn = (text: string): void => {
    for (const id of accountIdsIn(text)) {
      if (masked.has(id)) continue;
      masked.add(id);
      workflow.mask(id);
    }
  };
  const named = list(env, 'allowed-account-ids').map((id) => `account ${id}`);
  for (const text of [...named, input(env, 'role-to-assume'), input(env, 'keys')]) maskIn(text);
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
    fail: (failure) => {
      maskIn(failure.render(''));
      workflow.fail(failure);
    },
    setOutput: (name, value) => {
      if (name === 'aws-account-id') maskIn(`account ${value}`);
      workflow.setOutput(name, value);
    },
    summarize: async (markdown) => {
      maskIn(markdown);
      await workflow.summarize(markdown);
    },
  };
}

/** In ARNs, and behind the word account. Other numbers of 12 digits are not masked: run ids can be as long. */
export function accountIdsIn(text: string): string[] {
  const found = text.matchAll(
    /\barn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12})(?!\d)|\baccount (\d{12})(?!\d)/g,
  );
  return [...found].map(([, inArn, named]) => inArn ?? named ?? '');
}
