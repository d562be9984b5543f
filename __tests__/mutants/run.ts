/** `npm run test:mutants`: a sample with a seed (sample.ts), or all mutants of the pure files (pure/run.ts). */
const [first, ...rest] = process.argv.slice(2);
if (first === 'pure') {
  const { runPure } = await import('./pure/run.ts');
  await runPure(rest);
} else {
  await import('./sample.ts');
}
export {};
