/** The accounts of the program under `/users`. */
import type { Route } from '../../../http/handler.ts'
import { asDocuments } from '../document-form.ts'
import { changeByCommand } from './commands.ts'
import { addUser, editUser, listUsers, readUser, removeUser, type UserParts } from './users.ts'

export function userRoutes(parts: UserParts): Route[] {
  const user = '/users/:login'
  return asDocuments('User', [
    { method: 'GET', path: '/users', access: 'reader', handler: listUsers(parts) },
    { method: 'POST', path: '/users', access: 'reader', handler: addUser(parts) },
    { method: 'GET', path: user, access: 'reader', handler: readUser(parts) },
    { method: 'PUT', path: user, access: 'reader', handler: editUser(parts) },
    { method: 'DELETE', path: user, access: 'reader', handler: removeUser(parts) },
    {
      method: 'POST',
      path: `${user}/command/:command`,
      access: 'reader',
      handler: changeByCommand(parts),
    },
  ])
}
