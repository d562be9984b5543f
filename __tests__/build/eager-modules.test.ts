import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { compileModulesAtOnce } from '../../build/eager-modules.ts';

it.each([
  [
    'modules of a chunk',
    'export const modules={36:(e,t)=>{t.a=()=>1},907:function(e){}};',
    'export const modules={36:((e,t)=>{t.a=()=>1}),907:(function(e){})};',
  ],
  ['one in parentheses', 'var m={36:(e=>{})};', 'var m={36:(e=>{})};'],
  ['a function inside a module', 'var m={36:e=>{var n={7:t=>t}}};', 'var m={36:(e=>{var n={7:t=>t}})};'],
  ['another property', 'var m={a:e=>e,"36":e=>e,36:1};', 'var m={a:e=>e,"36":e=>e,36:1};'],
])('%s', (_, code, wanted) => {
  expect(compileModulesAtOnce(code)).toBe(wanted);
});

it('dist has the parentheses', () => {
  const main = join(dirname(dirname(import.meta.dirname)), 'dist/main/index.js');
  const text = readFileSync(main, 'utf8');
  expect(text.match(/\d:\(\(?\w*(,\w+)*\)?=>\{/g)?.length).toBeGreaterThan(20);
  expect(text).not.toMatch(/[{,]\d{2,}:\(\w+,\w+(,\w+)*\)=>\{/);
});
