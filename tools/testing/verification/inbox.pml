/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Claim and inbox against shut and cancel. Names are those of vrb_request.c, vrb_group.c,
 * vrb_queue.c and vrb_pump.c.
 *
 * Small: -DCANCELS=1
 * Large: -DCANCELS=2
 * Large: -DCANCELS=2 -DSUBMITTERS=3
 * Mistakes: -DCANCELS=1
 *
 * Two requests on one object. One context submits both, the first one where the device lock cannot
 * be taken. Others also submit the first, another context cancels, and another shuts the client and
 * waits for the fence. The hardware completes a command, or never does. An accepted request
 * completes once, a refused one never. The second request is never issued before the first. When
 * vrb_client_shut() has returned, no request is accepted or issued, and after the fence nothing of
 * the client is accessed.
 *
 * Assumed: memory is sequentially consistent. vrb.state is changed by a cmpxchg, and otherwise only
 * by the owner of the request; a state that passes the request to the engine is a release. All else
 * is under locks. The pump runs without a kick: see pump.pml. The step from the return of a
 * callback to an idle request is atomic here: see ticket.pml.
 */
#ifndef SUBMITTERS
#define SUBMITTERS	2
#endif
#define REQUESTS	2

#define IDLE		0
#define CLAIMED		1
#define INBOX		2
#define QUEUED		3
#define ISSUED		4
#define DONE		5
#define CALLBACK	6

/* Answers and statuses */
#define NONE		0
#define EINPROGRESS	1
#define EBUSY		2
#define ESHUTDOWN	3
#define EAGAIN		4
#define ECANCELED	5
#define EALREADY	6
#define ENOENT		7

bit lock, kick_lock;
bit shut;
byte inflight;			/* vrb_client */
byte state[REQUESTS];
byte status[REQUESTS];
chan inbox = [REQUESTS] of { byte };
chan queue = [REQUESTS] of { byte };	/* of the object; its head is runnable */
chan done = [REQUESTS] of { byte };
bit slot_busy;
bit sweep;
byte sweep_at;			/* position among all requests; those before it are done */

/* State of the model that the engine does not have */
byte accepted[REQUESTS], calls[REQUESTS];
bit taken_back[REQUESTS];	/* vrb_cancel() has returned 0 */
bit first_waits;		/* the first one was submitted by submit_both() and is not issued yet */
bit was_shut;			/* vrb_client_shut() has returned */
bit gone;			/* the fence has returned */
bit stuck;			/* the hardware never answers */

#define LOCK(l)		atomic { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0

/* ---- The end of a request; device lock held ---- */

inline vrb_finish(r, what)
{
	assert(!gone);
	assert(state[r] == QUEUED || state[r] == ISSUED);
	if
	:: state[r] == QUEUED && queue ?? [eval(r)] -> queue ?? eval(r)
	:: state[r] == ISSUED -> slot_busy = 0
	:: else
	fi;
	if
	:: r == 0 -> first_waits = 0
	:: else
	fi;
	status[r] = what;
	state[r] = DONE;
	done ! r
}

inline vrb_issue(r)
{
#ifndef MISTAKE_ISSUE_IGNORES_DOOM
	if
	:: shut ->
		vrb_finish(r, ECANCELED)
	:: else ->
#endif
		assert(!was_shut);
		assert(r == 0 || !first_waits);
		assert(!taken_back[r]);
		if
		:: state[r] == QUEUED -> queue ?? eval(r)
		:: else
		fi;
		if
		:: r == 0 -> first_waits = 0
		:: else
		fi;
		assert(!slot_busy);
		slot_busy = 1;
		state[r] = ISSUED
#ifndef MISTAKE_ISSUE_IGNORES_DOOM
	fi
#endif
}

/* ---- Submit ---- */

/* A caller learns that the engine has accepted the request. */
inline counted(r, first)
{
	atomic {
		assert(!was_shut && !gone);
		accepted[r]++;
		taken_back[r] = 0;
		if
		:: r == 0 -> first_waits = first
		:: else
		fi
	}
}

inline vrb_count_in()
{
	inflight++
}

/* vrb_check_shut() and vrb_submit_direct(), device lock held */
inline vrb_submit_direct(r, first, ret)
{
	if
#ifndef MISTAKE_DIRECT_OVERTAKES_INBOX
	:: len(inbox) > 0 -> ret = EAGAIN
	:: else ->
#else
	:: true ->
#endif
		if
		:: shut -> ret = ESHUTDOWN
		:: else ->
			vrb_count_in();
			counted(r, first);
			vrb_accept(r);
			ret = EINPROGRESS
		fi
	fi
}

inline vrb_accept(r)
{
	if
	:: len(queue) == 0 && !slot_busy -> vrb_issue(r)		/* vrb_goes_now() */
	:: else -> state[r] = QUEUED; queue ! r
	fi
}

#ifdef MISTAKE_CHECK_WITHOUT_KICK_LOCK
#define CHECK_LOCK	skip
#else
#define CHECK_LOCK	LOCK(kick_lock)
#endif

inline vrb_submit_inbox(r, first, ret)
{
	CHECK_LOCK;
	if
	:: shut -> ret = ESHUTDOWN
	:: else -> ret = EINPROGRESS
	fi;
#ifdef MISTAKE_CHECK_WITHOUT_KICK_LOCK
	LOCK(kick_lock);
#endif
	if
	:: ret == EINPROGRESS ->
#ifndef MISTAKE_COUNTED_AFTER_INBOX
		vrb_count_in();
#endif
		counted(r, first);
#ifdef MISTAKE_LISTED_BEFORE_ITS_STATE
		inbox ! r;
		UNLOCK(kick_lock);
		state[r] = INBOX;
		LOCK(kick_lock)
#else
		state[r] = INBOX;
		inbox ! r
#endif
	:: else
	fi;
	UNLOCK(kick_lock);
#ifdef MISTAKE_COUNTED_AFTER_INBOX
	if
	:: ret == EINPROGRESS -> vrb_count_in()
	:: else
	fi
#endif
}

/* vrb_claim() */
inline vrb_claim(r, ret)
{
	ret = NONE;
	word = state[r];
	if
	:: word != IDLE -> ret = EBUSY
	:: else ->
#ifdef MISTAKE_CLAIM_WITHOUT_CMPXCHG
		state[r] = CLAIMED
#else
		atomic {
			if
			:: state[r] == word -> state[r] = CLAIMED
			:: else -> ret = EBUSY
			fi
		}
#endif
	fi
}

inline vrb_submit(r, may_lock, first, ret)
{
	vrb_claim(r, ret);
	if
	:: ret == NONE ->
		status[r] = NONE;	/* vrb_begin() */
		ret = EAGAIN;
		if
		:: may_lock ->
			LOCK(lock);
			vrb_submit_direct(r, first, ret);
			UNLOCK(lock)
		:: else
		fi;
		if
		:: ret == EAGAIN -> vrb_submit_inbox(r, first, ret)
		:: else
		fi;
		if
		:: ret != EINPROGRESS -> state[r] = IDLE
		:: else
		fi
	:: else
	fi
}

/* ---- Cancel ---- */

inline vrb_cancel_inbox(r)
{
#ifndef MISTAKE_CANCEL_WITHOUT_KICK_LOCK
	LOCK(kick_lock);
#endif
	if
	:: inbox ?? [eval(r)] -> inbox ?? eval(r)
	:: else
	fi;
#ifndef MISTAKE_CANCEL_WITHOUT_KICK_LOCK
	UNLOCK(kick_lock);
#endif
	state[r] = QUEUED;
	vrb_finish(r, ECANCELED)
}

inline vrb_cancel_locked(r, ret)
{
#ifndef MISTAKE_CANCEL_WITHOUT_RECHECK
	word = state[r];
#endif
	if
	:: word == IDLE -> ret = ENOENT
	:: word == INBOX -> vrb_cancel_inbox(r); taken_back[r] = 1; ret = NONE
	:: word == QUEUED -> vrb_finish(r, ECANCELED); taken_back[r] = 1; ret = NONE
	:: else -> ret = EALREADY
	fi
}

inline vrb_cancel(r, ret)
{
	word = state[r];
	if
	:: word == IDLE -> ret = ENOENT
	:: word == CLAIMED -> ret = EALREADY
	:: else ->
		LOCK(lock);
		vrb_cancel_locked(r, ret);
		UNLOCK(lock)
	fi
}

/* ---- Who does what ---- */

/* Submits both, the first from a hard interrupt. */
proctype submit_both()
{
	byte ret, word;

	vrb_submit(0, 0, 1, ret);
	vrb_submit(1, 1, 0, ret)
}

/* Submits the first one where the lock can be taken. */
proctype submit_first()
{
	byte ret, word;

	vrb_submit(0, 1, 0, ret)
}

proctype cancel(byte r)
{
	byte ret, word;

	vrb_cancel(r, ret)
}

/* vrb_client_shut(), vrb_client_fence() */
proctype shuts()
{
	LOCK(lock);
#ifndef MISTAKE_SHUT_UNDER_ONE_LOCK
	LOCK(kick_lock);
#endif
	shut = 1;
#ifndef MISTAKE_SHUT_UNDER_ONE_LOCK
	UNLOCK(kick_lock);
#endif
#ifndef MISTAKE_SHUT_WITHOUT_SWEEP
	sweep = 1;
#endif
	was_shut = 1;
	UNLOCK(lock);
	/* vrb_wait_zero() checks under the lock. */
end:	atomic { !lock && !inflight -> gone = 1 }
}

/* ---- The pump ---- */

inline vrb_accept_late(r)
{
	if
	:: shut -> state[r] = QUEUED; vrb_finish(r, ESHUTDOWN)
	:: else -> vrb_accept(r)
	fi
}

inline vrb_accept_inbox()
{
	if
	:: len(inbox) > 0 ->
		LOCK(kick_lock);
		inbox ? r;
		UNLOCK(kick_lock);
		vrb_accept_late(r)
	:: else
	fi
}

/* One request per run, whatever its state */
inline vrb_sweep()
{
	if
	:: sweep ->
		r = sweep_at;
		sweep_at++;
		if
		:: sweep_at == REQUESTS -> sweep = 0
		:: else
		fi;
		if
		:: shut && state[r] == QUEUED -> vrb_finish(r, ECANCELED)
		:: else
		fi
	:: else
	fi
}

inline vrb_dispatch()
{
	if
	:: !slot_busy && len(queue) > 0 -> queue ? <r>; vrb_issue(r)
	:: else
	fi
}

inline vrb_deliver_one()
{
	if
	:: len(done) > 0 ->
		done ? r;
		assert(!gone && state[r] == DONE);
		assert(!taken_back[r] || status[r] == ECANCELED);
		calls[r]++;
		assert(calls[r] == accepted[r]);
		state[r] = CALLBACK;
		UNLOCK(lock);
#ifdef MISTAKE_ACCOUNTED_BEFORE_CALLBACK
		inflight--;
#endif
		assert(!gone);			/* the callback */
		state[r] = IDLE;
		LOCK(lock);
#ifndef MISTAKE_ACCOUNTED_BEFORE_CALLBACK
		assert(inflight);
		inflight--
#endif
	:: else
	fi
}

proctype pump()
{
	byte r;

end:
	do
	:: len(inbox) > 0 || (len(queue) > 0 && !slot_busy) || len(done) > 0 || sweep ||
	   (slot_busy && !stuck) ->
		/* The hardware completes its command, or not yet. */
		LOCK(lock);
		if
		:: slot_busy && !stuck ->
			if
			:: state[0] == ISSUED -> vrb_finish(0, NONE)
			:: else -> assert(state[1] == ISSUED); vrb_finish(1, NONE)
			fi
		:: true
		fi;
		UNLOCK(lock);

		LOCK(lock);
		vrb_accept_inbox();
		vrb_sweep();
		vrb_dispatch();
		UNLOCK(lock);

		LOCK(lock);
		vrb_deliver_one();
		UNLOCK(lock)
	od
}

init {
	byte n;

	atomic {
		if
		:: stuck = 0
		:: stuck = 1
		fi;
		run pump();
		run submit_both();
		do
		:: n < SUBMITTERS - 1 -> run submit_first(); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < CANCELS -> run cancel(n); n++
		:: else -> break
		od;
		run shuts()
	};
	timeout ->
	/* Only what waits for the hardware is left. */
	assert(len(inbox) == 0 && len(queue) == 0 && len(done) == 0);
	assert(inflight == slot_busy && gone == !slot_busy);
	assert(accepted[0] + accepted[1] == calls[0] + calls[1] + slot_busy);
	assert(state[0] == IDLE || state[0] == ISSUED);
	assert(state[1] == IDLE || state[1] == ISSUED);
	assert(!lock && !kick_lock && (stuck || !slot_busy))
}
