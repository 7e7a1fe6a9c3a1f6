import { DatabaseError } from 'pg'

/** What Postgres says with this SQLSTATE. */
export function databaseError(code: string, message: string): DatabaseError {
  const error = new DatabaseError(message, message.length, 'error')
  error.severity = 'ERROR'
  error.code = code
  return error
}

export function uniqueViolation(constraint: string): DatabaseError {
  return databaseError('23505', `duplicate key value violates unique constraint "${constraint}"`)
}

export function foreignKeyViolation(constraint: string): DatabaseError {
  return databaseError('23503', `insert or update violates foreign key constraint "${constraint}"`)
}

export function checkViolation(constraint: string): DatabaseError {
  return databaseError('23514', `new row violates check constraint "${constraint}"`)
}

export function policyViolation(table: string): DatabaseError {
  return databaseError('42501', `new row violates row-level security policy for table "${table}"`)
}

export function transactionAborted(): DatabaseError {
  return databaseError('25P02', 'current transaction is aborted, commands ignored until end of transaction block')
}

/** Of the API's role outside of a tenant's transaction. */
export function noTenant(): DatabaseError {
  return databaseError('42704', 'unrecognized configuration parameter "app.tenant"')
}
