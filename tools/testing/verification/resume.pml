/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A resume before the engine knows that the request waits. Names are those of vrb_step.c,
 * vrb_object.c, vrb_request.c, vrb_fail.c and vrb_pump.c.
 *
 * Small: -DKILLS=1
 * Large: -DKILLS=2
 * Mistakes: -DKILLS=1
 *
 * Two requests on one object. Each waits once: its step has arranged that the provider calls
 * vrb_resume(), which may come before the engine knows that the request waits. The provider may
 * also never call it. Another context kills the first request, and the device may fail. No request
 * continues before it is resumed or taken back. No request waits after it is resumed or killed.
 * None is called back while the provider uses its memory.
 *
 * Assumed: memory is sequentially consistent. All is under the device lock or the kick lock. The
 * provider's own state is under a lock of its own, which the provider holds when it calls
 * vrb_resume(), so it no longer calls that when its undo has returned. After a failure of the
 * device, the operation failed() resumes every request whose resume would not come, and every one
 * that was taken back and not undone: the engine completes the latter at once.
 */
#define REQUESTS	2
#define NOBODY		2

#define IDLE		0
#define QUEUED		1
#define ISSUED		2
#define WAITING		3
#define DONE		4

bit lock, kick_lock, provider_lock;
byte state[REQUESTS];
bit started[REQUESTS], undoing[REQUESTS], waits_after[REQUESTS];
bit killers[REQUESTS];
bit runnable[REQUESTS];		/* its entry */
bit posted[REQUESTS];		/* the hardware has its command */
bit result[REQUESTS];		/* reaped by the pump, or returned by encode */
bit failed;			/* VRB_DEV_FAILED */
bit fail_reported;
bit sweep;
byte object_active = NOBODY;		/* vrb_object */
byte queue = NOBODY;		/* the request queued on the object behind it */
bit resume;			/* VRB_NEWS_RESUME */

/* The provider */
bit pending[REQUESTS];		/* it uses the request's memory and will resume it */
bit waited[REQUESTS];		/* the step has been executed */
bit sure;			/* what it waits for happens, even after the device failed */

/* State of the model that the engine does not have */
byte calls[REQUESTS];

#define LOCK(l)		atomic { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0

#define LEFT(r)		(state[r] == WAITING && pending[r] && !killers[r] && !failed)
#define BEHIND(r)	(state[r] == QUEUED && queue == r && !killers[r] && LEFT(1 - r))
#define STANDS(r)	(state[r] == IDLE || LEFT(r) || BEHIND(r))

/* vrb_resume() */
inline vrb_resume(r)
{
#ifdef MISTAKE_RESUME_ONLY_IF_WAITING
	if
	:: state[r] == WAITING ->
#endif
		LOCK(kick_lock);
		resume = 1;
		UNLOCK(kick_lock)
#ifdef MISTAKE_RESUME_ONLY_IF_WAITING
	:: else
	fi
#endif
}

/* The provider's step arranges a wake-up, or its undo cancels it. */
inline arrange(r, what)
{
	LOCK(provider_lock);
	pending[r] = what;
	waited[r] = waited[r] || what;
	UNLOCK(provider_lock)
}

/* ---- Device lock held ---- */

inline vrb_make_runnable(r)
{
	assert(!runnable[r] && state[r] == QUEUED);
	runnable[r] = 1
}

inline vrb_finish(r)
{
	assert(state[r] != IDLE && state[r] != DONE);
	runnable[r] = 0;
	posted[r] = 0;
#ifndef MISTAKE_RESUME_NOT_CLEARED
	if
	:: started[r] -> LOCK(kick_lock); resume = 0; UNLOCK(kick_lock)
	:: else
	fi;
#endif
	state[r] = DONE;
	if
	:: object_active == r -> object_active = NOBODY
	:: else
	fi;
	if
	:: queue == r -> queue = NOBODY
	:: else
	fi;
	/* vrb_object_next() */
	if
	:: queue != NOBODY && object_active == NOBODY ->
		vrb_make_runnable(queue);
		queue = NOBODY
	:: else
	fi
}

inline vrb_take_back(r)
{
	if
	:: !started[r] -> vrb_finish(r)
	:: started[r] && !undoing[r] && !failed ->
#ifdef MISTAKE_CANCELLED_WITHOUT_UNDO
		vrb_finish(r)
#else
		undoing[r] = 1;
		waits_after[r] = 0;
		if
		:: state[r] == WAITING -> state[r] = QUEUED; vrb_make_runnable(r)
		:: else
		fi
#endif
	:: else
	fi
}

inline vrb_step_waits(r, after)
{
	started[r] = 1;
	waits_after[r] = after;
	state[r] = WAITING;
#ifndef MISTAKE_KILLED_REQUEST_WAITS
	if
	:: killers[r] -> vrb_take_back(r)
	:: else
	fi
#endif
}

/* vrb_issue(), vrb_drive() */
inline vrb_issue(r)
{
	runnable[r] = 0;
	state[r] = ISSUED;
	object_active = r;
	if
	:: undoing[r] ->		/* the step's undo has no command */
		arrange(r, 0);
		vrb_finish(r)
	:: !undoing[r] && waited[r] ->	/* it continues after its wait */
		assert(!pending[r]);
		vrb_finish(r)
	:: !undoing[r] && !waited[r] -> posted[r] = 1
	:: !undoing[r] && !waited[r] ->	/* encode says that it waits */
		arrange(r, 1);
		vrb_step_waits(r, 0)
	fi
}

inline vrb_object_resumed()
{
	if
	:: object_active != NOBODY && state[object_active] == WAITING ->
		if
		:: failed -> vrb_finish(object_active)
		:: else -> state[object_active] = QUEUED; vrb_make_runnable(object_active)
		fi
	:: else
	fi
}

/* ---- Who does what ---- */

/* What the provider waits for happens, or not. */
proctype event(byte r)
{
end:
	pending[r];
	if
	:: LOCK(provider_lock);
	   if
	   :: pending[r] -> pending[r] = 0; vrb_resume(r)
	   :: else
	   fi;
	   UNLOCK(provider_lock)
	:: !sure
	fi
}

/* vrb_submit_direct() */
proctype submit(byte r)
{
	LOCK(lock);
	if
	:: failed -> skip		/* -EIO */
	:: !failed && object_active == NOBODY && !runnable[0] && !runnable[1] ->
		state[r] = QUEUED;
		vrb_issue(r)
	:: !failed && !(object_active == NOBODY && !runnable[0] && !runnable[1]) ->
		state[r] = QUEUED;
		if
		:: object_active == NOBODY && !runnable[1 - r] -> vrb_make_runnable(r)
		:: else -> assert(queue == NOBODY); queue = r
		fi
	fi;
	UNLOCK(lock)
}

/* vrb_kill() */
proctype kill(byte r)
{
	LOCK(lock);
	if
	:: state[r] != IDLE ->
		killers[r] = 1;
		if
		:: state[r] == QUEUED || state[r] == WAITING ->
			if
			:: undoing[r] || (started[r] && failed)
			:: else -> vrb_take_back(r)
			fi
		:: else
		fi
	:: else
	fi;
	UNLOCK(lock)
}

proctype fail()
{
	if
	:: LOCK(lock);
	   failed = 1;
	   sweep = 1;
	   UNLOCK(lock)
	:: true
	fi
}

/* ---- The pump ---- */

inline vrb_take_in()
{
	if
	:: resume ->
		LOCK(kick_lock);
		resume = 0;
		UNLOCK(kick_lock);
		vrb_object_resumed()
	:: else
	fi
}

inline vrb_take_results(r)
{
	if
	:: result[r] && state[r] == ISSUED ->
		result[r] = 0;
		posted[r] = 0;
		arrange(r, 1);			/* step->done(), no lock held */
#ifdef MISTAKE_NEWS_BEFORE_VERDICTS
		LOCK(lock);
		vrb_take_in();
		UNLOCK(lock);
#endif
		LOCK(lock);
		/* vrb_act_all() */
#ifdef MISTAKE_FAILURE_DROPS_THE_WAIT
		if
		:: failed
		:: else -> vrb_step_waits(r, 1)
		fi;
#else
		vrb_step_waits(r, 1);
#endif
		UNLOCK(lock)
	:: else -> result[r] = 0
	fi
}

inline vrb_sweep_one(r)
{
	if
#ifdef MISTAKE_FAILURE_ENDS_WAITS
	:: state[r] == QUEUED || state[r] == WAITING -> vrb_finish(r)
#else
	:: state[r] == QUEUED -> vrb_finish(r)
#endif
	:: else
	fi
}

inline vrb_flush()
{
	LOCK(lock);
	if
	:: state[0] == ISSUED -> vrb_finish(0)
	:: else
	fi;
	if
	:: state[1] == ISSUED -> vrb_finish(1)
	:: else
	fi;
	report = !fail_reported;
	fail_reported = 1;
	UNLOCK(lock);
#ifndef MISTAKE_FAILURE_RESUMES_NOTHING
	if
	:: report ->			/* ops->failed() */
		LOCK(provider_lock);
		r = 0;
		do
		:: r < REQUESTS ->
			if
			:: pending[r] && (!sure || undoing[r]) -> pending[r] = 0; vrb_resume(r)
			:: else
			fi;
			r++
		:: else -> break
		od;
		UNLOCK(provider_lock)
	:: else
	fi
#endif
}

inline vrb_deliver(r)
{
	LOCK(lock);
	if
	:: state[r] == DONE ->
		assert(!pending[r]);	/* the callback may free it */
		calls[r]++;
		assert(calls[r] == 1);
		state[r] = IDLE
	:: else
	fi;
	UNLOCK(lock)
}

proctype pump()
{
	byte r;
	bit report;

end:
	do
	:: posted[0] || posted[1] || resume || runnable[0] || runnable[1] || sweep ||
	   (failed && !fail_reported) || state[0] == DONE || state[1] == DONE ->
		/* The hardware completes a posted command. */
		if
		:: posted[0] && !failed -> result[0] = 1; vrb_take_results(0)
		:: posted[1] && !failed -> result[1] = 1; vrb_take_results(1)
		:: true
		fi;

		LOCK(lock);
		vrb_take_in();
		if
		:: sweep && failed -> sweep = 0; vrb_sweep_one(0); vrb_sweep_one(1)
		:: else
		fi;
		/* vrb_dispatch() */
		if
		:: runnable[0] && !failed -> vrb_issue(0)
		:: runnable[1] && !failed -> vrb_issue(1)
		:: else
		fi;
		UNLOCK(lock);

		if
		:: failed -> vrb_flush()
		:: else
		fi;
		vrb_deliver(0);
		vrb_deliver(1)
	od
}

init {
	atomic {
		if
		:: sure = 0
		:: sure = 1
		fi;
		run pump();
		run submit(0);
		run submit(1);
		run event(0);
		run event(1);
		run kill(0);
#if KILLS > 1
		run kill(1);
#endif
		run fail()
	};
	timeout ->
	assert(!resume && !lock && !kick_lock && !provider_lock);
	/* A request that still waits was not resumed or killed, and the device did not fail. */
	assert(STANDS(0));
	assert(STANDS(1))
}
