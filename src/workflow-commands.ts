/** Workflow commands for the runner, without @actions/core, which would make post ten times as large. */
import { appendFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { visible } from './keys/visible-text.ts';
import type { Workflow } from './action/workflow.ts';

export interface CommandChannel {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
}

/** @source GitHub Docs, "Workflow commands for GitHub Actions" */
export function workflowCommands({
  env,
  write,
}: CommandChannel): Pick<Workflow, 'mask' | 'info' | 'warn' | 'exportVariable' | 'summarize'> {
  return {
    mask: (secret) => {
      write(`${maskCommands([secret])}\n`);
    },
    info: (line) => {
      write(`${visible(line)}\n`);
    },
    warn: (message) => {
      write(`::warning::ssm-ssh-agent: ${escapeData(visible(message))}\n`);
    },
    exportVariable: (name, value) => {
      const file = env['GITHUB_ENV'];
      if (file) appendFileSync(file, assignment(name, value));
    },
    // A missing or full step summary must not keep post from its work.
    summarize: async (markdown) => {
      const file = env['GITHUB_STEP_SUMMARY'];
      if (file) await appendFile(file, `${markdown}\n`).catch(() => undefined);
    },
  };
}

/**
 * The lines that hide each secret in the log, for one write. A key has dozens of lines, and with a write for each, as
 * @actions/core has it, the masks of 25 keys take longer than reading the keys from AWS.
 */
export function maskCommands(secrets: readonly string[]): string {
  return secrets.map((secret) => `::add-mask::${escapeData(secret)}`).join('\n');
}

/** Most values are one line, for which node:crypto need not be loaded. */
function assignment(name: string, value: string): string {
  if (!/[\r\n]/.test(value)) return `${name}=${value}\n`;
  const delimiter = `ghadelimiter_${process.getBuiltinModule('node:crypto').randomUUID()}`;
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
