/** The runner as main sees it: @actions/core, and nobody else imports it. */
import * as core from '@actions/core';
import type { Workflow } from './action/workflow.ts';

export const program = 'ssm-ssh-agent';

export const workflow: Workflow = {
  info: core.info,
  warn: (message) => {
    core.warning(`${program}: ${message}`);
  },
  fail: (failure) => {
    core.error(failure.render(program), { title: failure.code });
  },
  mask: core.setSecret,
  exportVariable: core.exportVariable,
  addPath: core.addPath,
  setOutput: core.setOutput,
  // A runner without step summaries, and one whose summary is full, are no reason to fail.
  summarize: async (markdown) => {
    await core.summary.addRaw(markdown, true).write().catch(core.debug);
  },
  saveState: core.saveState,
};
