/** A disk whose fault is switched on and off while a log is open. */
import type { Disk } from '../../src/storage/file/disk.ts'
import { type FaultPlan, faultyDisk } from '../support/fault-disk.ts'

export type ArmedDisk = {
  readonly disk: Disk
  arm(plan: FaultPlan): void
  /** @returns whether the fault was met */
  disarm(): boolean
}

export function armedDisk(disk: Disk): ArmedDisk {
  let current = disk
  let hasFailed = () => false
  const armed = new Proxy(disk, { get: (_, name: keyof Disk) => current[name] })
  return {
    disk: armed,
    arm: (plan) => {
      const faulty = faultyDisk(disk, plan)
      current = faulty.disk
      hasFailed = faulty.hasFailed
    },
    disarm: () => {
      current = disk
      return hasFailed()
    },
  }
}
