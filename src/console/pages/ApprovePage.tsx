import { useEffect } from 'react'
import { ApproveGrant } from '../../react/components/ApproveGrant.js'
import { useRequest } from '../../react/reads.js'
import { keep } from '../kept.js'
import * as place from '../place.js'

export function ApprovePage({ id }: { id: string }) {
  const { data } = useRequest(id)
  const given = data?.status === 'approved' && data.differences.length === 0 ? data : undefined
  useEffect(() => {
    // Approved, as the server says: the chain is asked on the page of the grant.
    if (given !== undefined) keep(given, { isApproved: false })
  }, [given])
  return (
    <>
      <h1>Approve a grant</h1>
      <ApproveGrant id={id} />
      {given === undefined ? null : (
        <p>
          <a href={place.href({ page: 'grant', grantId: given.grant.grantId })}>Watch this grant</a>
        </p>
      )}
    </>
  )
}
