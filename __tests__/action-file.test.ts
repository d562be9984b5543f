import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { defaults } from '../src/action/input.ts';

interface Field {
  readonly description: string;
  readonly default?: string;
}

const file = readFileSync(join(dirname(import.meta.dirname), 'action.yml'), 'utf8');
interface Action {
  readonly name: string;
  readonly description: string;
  readonly branding: { readonly icon: string; readonly color: string };
  readonly inputs: Record<string, Field>;
  readonly outputs: Record<string, Field>;
}

const action = parse(file) as Action;

describe('action.yml', () => {
  it('describes each input and output completely: in YAML, a # after a space starts a comment', () => {
    const all = Object.entries({ ...action.inputs, ...action.outputs });
    expect(all.filter(([, { description }]) => !/[.…]$/.test(description))).toEqual([]);
  });

  it('describes each input and output in one line of less than 100 characters', () => {
    const all = Object.entries({ ...action.inputs, ...action.outputs });
    expect(
      all.filter(([, { description }]) => description.length >= 100 || description.includes('\n')),
    ).toEqual([]);
  });

  it('has the same defaults as an empty input', () => {
    const given = Object.entries(action.inputs).filter(([, field]) => field.default !== undefined);
    expect(Object.fromEntries(given.map(([name, field]) => [name, field.default]))).toEqual(defaults);
  });
});

/** @source GitHub Docs, "Publishing actions in GitHub Marketplace" and "Metadata syntax reference", `branding` */
describe("action.yml meets the Marketplace's conditions:", () => {
  it('the description has at most 125 characters', () => {
    expect(action.description.length).toBeLessThanOrEqual(125);
    expect(action.description).toMatch(/^[A-Z].*\.$/);
  });

  it('the name says what the action does, and is nobody else: not a word alone, not a feature of GitHub', () => {
    expect(action.name.split(' ').length).toBeGreaterThanOrEqual(3);
    expect(action.name.length).toBeLessThanOrEqual(50);
    expect(action.name).not.toMatch(/github|action/i);
    expect(action.name).toMatch(/SSH.*AWS/);
  });

  it('the colour is one of its colours', () => {
    const colors = ['white', 'black', 'yellow', 'blue', 'green', 'orange', 'red', 'purple', 'gray-dark'];
    expect(colors).toContain(action.branding.color);
  });

  it('the icon is one of those that fit here and that it has: it leaves out key, tool and hexagon', () => {
    const icons = ['cloud', 'git-branch', 'lock', 'log-in', 'server', 'shield', 'terminal', 'unlock'];
    expect(icons).toContain(action.branding.icon);
  });
});
