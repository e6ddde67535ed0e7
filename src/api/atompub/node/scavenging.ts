/** `/admin/scavenge`: operators start, watch and stop the reclaiming of space. */
import { requireOps } from '../../../domain/access.ts'
import { AppError } from '../../../domain/app-error.ts'
import type { ScavengeRun, ScavengeRuns } from '../../../domain/scavenge-runs.ts'
import type { Handler, Route } from '../../../http/handler.ts'
import { indentedJson } from '../json-document.ts'

export function scavengeRoutes(runs: ScavengeRuns): Route[] {
  const path = '/admin/scavenge'
  return [
    { method: 'POST', path, access: 'reader', handler: start(runs) },
    { method: 'DELETE', path: `${path}/:id`, access: 'reader', handler: stop(runs) },
    { method: 'GET', path: `${path}/:id`, access: 'reader', handler: tell(runs) },
  ]
}

/** Settings of the other server's way to do it are checked and change nothing. */
function start(runs: ScavengeRuns): Handler {
  return async (_request, { principal, query }) => {
    requireOps(principal)
    checkNumber(query, 'startFromChunk', 0)
    checkNumber(query, 'threads', 1)
    return indentedJson(200, { scavengeId: await startOnce(runs, principal.name) })
  }
}

function checkNumber(query: URLSearchParams, parameter: string, least: number): void {
  const text = query.get(parameter)
  if (text === null || (/^[0-9]{1,9}$/.test(text) && Number(text) >= least)) return
  const message = `${parameter} must be a whole number from ${least}`
  throw new AppError('bad-query', message, { parameter })
}

/** This API says 400 where another run goes on. */
async function startOnce(runs: ScavengeRuns, by: string): Promise<string> {
  try {
    return await runs.start(by)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'scavenge-running') throw error
    throw new AppError('bad-request', error.message, error.facts, error)
  }
}

function stop(runs: ScavengeRuns): Handler {
  return async (_request, { principal, parameters }) => {
    requireOps(principal)
    const { id: scavengeId = '' } = parameters
    if (!(await runs.stop(scavengeId))) throw unknownRun()
    return indentedJson(200, { scavengeId })
  }
}

function tell(runs: ScavengeRuns): Handler {
  return async (_request, { principal, parameters }) => {
    requireOps(principal)
    const { id } = parameters
    if (id === 'current') return indentedJson(200, told(await runs.current()))
    const last = await runs.last()
    if (id === 'last' || id === last?.id) return indentedJson(200, told(last))
    throw unknownRun()
  }
}

const RESULTS = {
  running: 'InProgress',
  done: 'Success',
  stopped: 'Stopped',
  failed: 'Failed',
} as const

/** Nothing is told where there is no run. */
function told(run: ScavengeRun | undefined): object {
  if (run === undefined) return {}
  return {
    scavengeId: run.id,
    scavengeLink: `/admin/scavenge/${run.id}`,
    scavengeResult: RESULTS[run.state],
    startedAt: new Date(run.startedAtMs).toISOString(),
    reclaimedBytes: run.reclaimedBytes,
  }
}

function unknownRun(): AppError {
  return new AppError('route-not-found', 'There is no such run of scavenging')
}
