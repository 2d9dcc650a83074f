// What is found, as lines of text and as pages.

export { alignmentLines } from './report/alignment-report.ts';
export { comparisonLines } from './report/comparison.ts';
export { planLines } from './report/plan-report.ts';
export { profileLines } from './report/profile.ts';
export { profilePage } from './report/profile-page.ts';
export { scoreLines } from './report/score-report.ts';
export { siteCeilingLines } from './report/site-ceiling.ts';
