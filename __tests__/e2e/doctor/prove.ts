/** Proves a fault: doctor finds it, and is content after its remedy was applied. */
import { expect } from '@jest/globals';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { applyRemedy, isAdvice, type DoctorStage, type Fault } from './stage.ts';

export function named(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((finding) => finding.check === check);
  if (found) return found;
  throw new Error(`no check ${check}: ${findings.map((finding) => finding.check).join(', ')}`);
}

export async function proveFault(stage: DoctorStage, fault: Fault): Promise<void> {
  await fault.break(stage);
  const args = fault.args?.(stage) ?? [];
  const nameOf = (check: Fault['check']): string => (typeof check === 'string' ? check : check(stage));
  const check = nameOf(fault.check);
  const found = named(await stage.findings(args, fault.folder), check);
  expect(found).toMatchObject({ status: fault.status });
  expect(found.detail).toMatch(fault.detail);
  if (isAdvice(fault)) {
    expect(found.remedy).toMatch(fault.advice);
    await fault.repair(stage, found);
  } else {
    await applyRemedy(stage, found, fault);
  }
  const after = named(await stage.findings(args, fault.folder), nameOf(fault.after ?? check));
  expect([after.status, after.detail]).toEqual([fault.skipped ? 'skip' : 'ok', after.detail]);
}
