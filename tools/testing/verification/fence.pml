/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The fence against everything that can happen meanwhile. Names are those of vrb_client.c,
 * vrb_object.c, vrb_time.c and vrb_shell.c.
 *
 * Small: -DREQUESTS=1
 * Small: -DREQUESTS=1 -DGROUP
 * Mistakes: -DREQUESTS=1
 *
 * A client unregisters. It may have a request in flight. It has a shell, whose destroy was
 * requested through the inbox, under the lock, or not at all. Another client has a child of the
 * shell, and releases it at some time or never. An attach is in progress, and the multicast group
 * may also hold the shell, for some time or for ever. When vrb_client_unregister() has returned, no
 * callback of the client runs or will run, and nothing accesses the client. The function always
 * returns, whatever others do. The client is told once that the shell is gone.
 *
 * Assumed: memory is sequentially consistent. inflight is incremented under either lock, all else
 * is under the device lock. A sleeper first queues itself and then checks under the lock, and
 * waitqueue_active() is called under the same lock, so no barrier is missing. No sleeper checks by
 * itself (nag_seconds is 0). The pump runs without a kick: see pump.pml. The client has stopped its
 * own calls, but for those of the request's callback. References, and the reset of a QP that is
 * left behind, are modelled only as far as
 * they decide when the destroy continues: see put.pml.
 */
#define CLIENT		0
#define OWN		1

#define IDLE		0
#define INBOX		1
#define QUEUED		2
#define DONE		3
#define RELEASED	4

bit lock, kick_lock;
short inflight[2];		/* vrb_client */
short held[2];
bit shut;

/* The shell */
byte refs = 3;			/* of the owner, a child and an attach */
byte children = 1;
bit dying;
byte state;			/* of the shell's destroy */
byte client = CLIENT;		/* destroy.client */
bit gone_set = 1;		/* object->gone */
bit runnable;
bit in_shells = 1;
bit news_zero, news_left;

/* A request of the client */
byte request;			/* 0: none, 1: in flight, 2: over */
bit by_callback;		/* its callback destroys the shell */
#ifdef GROUP
bit notify;			/* the group's owner asked to be told, and has not been told */
bit idle_group;
byte group;			/* vrb_group.inflight */
#endif

bit waits, woken;		/* on dev->idle */

/* State of the model that the engine does not have */
bit freed;			/* the client */
bit fenced;			/* vrb_client_unregister() has returned */
byte told;

#define LOCK(l)		atomic { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0
#define TOUCH(c)	assert(c != CLIENT || !freed)

/* ---- Device lock held ---- */

inline vrb_wake()
{
	atomic {
		if
		:: waits -> woken = 1
		:: else
		fi
	}
}

/* vrb_account() */
inline vrb_account(c)
{
	TOUCH(c);
	inflight[c]--;
	assert(inflight[c] >= 0);
	if
#ifdef MISTAKE_WAKES_ONLY_AT_ZERO
	:: inflight[c] == 0 -> vrb_wake()
#else
	:: inflight[c] == held[c] -> vrb_wake()
#endif
	:: else
	fi
}

inline vrb_object_unref()
{
	atomic {			/* refcount_dec_and_test() */
		assert(refs);
		refs--;
		if
		:: refs == 0 -> assert(dying && !runnable); runnable = 1
		:: else
		fi
	}
}

inline vrb_parents_put()
{
	assert(children);
	children--;
#ifndef MISTAKE_HELD_FOR_EVER
	if
	:: !children && dying -> TOUCH(client); held[client]--
	:: else
	fi;
#endif
	vrb_object_unref()
}

inline vrb_destroy_begin()
{
	dying = 1;
	in_shells = 0;
	if
	:: children ->
		held[client]++;
#ifndef MISTAKE_DESTROY_WITHOUT_WAKEUP
		vrb_wake()
#endif
	:: else
	fi;
	vrb_object_unref()
}

/* The client's destroy of the shell, where the lock can be taken or not */
inline vrb_destroy()
{
	atomic {
		if
		:: state == IDLE -> state = INBOX; inflight[CLIENT]++
		:: else
		fi
	}
}

inline vrb_destroy_direct()
{
	LOCK(lock);
	if
	:: state == IDLE ->
		inflight[CLIENT]++;
		state = QUEUED;
		vrb_destroy_begin()
	:: else
	fi;
	UNLOCK(lock)
}

/* ---- Others ---- */

/* The child is released, or never. */
proctype child()
{
	if
	:: LOCK(lock);
	   vrb_parents_put();
	   UNLOCK(lock)
	:: true
	fi
}

/*
 * An attach of the client to the shell, which calls vrb_object_hold() in a step; a detach later, or
 * never.
 */
proctype attach()
{
	bit holds;

	if
	:: LOCK(lock);
	   if
	   :: !children && dying -> TOUCH(client); held[client]++
	   :: else
	   fi;
	   children++;
	   refs++;
	   UNLOCK(lock);
	   holds = 1
	:: true
	fi;
	assert(!freed);				/* its callback */
	LOCK(lock);
	vrb_account(CLIENT);			/* vrb_deliver_one() */
	vrb_object_unref();
	UNLOCK(lock);
	if
	:: holds ->
		LOCK(lock);
		vrb_parents_put();		/* vrb_object_unhold() */
		UNLOCK(lock)
	:: true
	fi
}

/* ---- Waiting ---- */

#define RUNNING		(inflight[CLIENT] - held[CLIENT])
#define INFLIGHT	(inflight[CLIENT])

inline vrb_wait_zero(count)
{
	do
	:: true ->
#ifdef MISTAKE_CHECKS_BEFORE_IT_QUEUES
		LOCK(lock);
		left = (count != 0);
		UNLOCK(lock);
		atomic { waits = 1; woken = 0 };
#else
		atomic { waits = 1; woken = 0 };	/* prepare_to_wait() */
		LOCK(lock);
		left = (count != 0);
		UNLOCK(lock);
#endif
		if
		:: !left -> waits = 0; break
		:: left -> woken			/* schedule_timeout() */
		fi
	od
}

/* ---- The client ---- */

inline vrb_client_leave_held()
{
	/* vrb_client_quiet(): it holds a reference while it resets the QP, without the lock */
	LOCK(lock);
	mine = (dying && client == CLIENT && children && state != RELEASED);
	if
	:: mine -> refs++
	:: else
	fi;
	UNLOCK(lock);
	if
	:: mine ->
		atomic { assert(refs); refs--; zero = (refs == 0) };
		if
		:: zero -> LOCK(kick_lock); news_zero = 1; UNLOCK(kick_lock)
		:: else
		fi
	:: else
	fi;
	/* vrb_client_leave() */
	LOCK(lock);
	if
	:: dying && client == CLIENT && children && state != RELEASED ->
		LOCK(kick_lock);
		news_left = 1;
		UNLOCK(kick_lock)
	:: else
	fi;
	UNLOCK(lock)
}

proctype vrb_client_unregister()
{
	bit left, mine, zero;

	/* What the client did before. */
	if
	:: LOCK(lock);
	   inflight[CLIENT]++;
	   request = 1;
#ifdef GROUP
	   group = 1;
	   if
	   :: inflight[CLIENT]++; notify = 1		/* vrb_group_notify() */
	   :: true
	   fi;
#endif
	   UNLOCK(lock)
	:: true
	fi;
	if
	:: vrb_destroy()
	:: vrb_destroy_direct()
	:: by_callback = 1
	:: true
	fi;

	LOCK(lock);
	shut = 1;
	UNLOCK(lock);
	do
	:: true ->
#ifndef MISTAKE_SHELLS_BEFORE_FENCE
		vrb_wait_zero(RUNNING);		/* vrb_client_fence() */
#endif
		/* vrb_destroy_shells() */
		LOCK(lock);
		mine = in_shells;
		if
		:: mine -> in_shells = 0; refs++
		:: else
		fi;
		UNLOCK(lock);
		if
		:: mine ->
			vrb_destroy_direct();
			atomic { assert(refs); refs--; zero = (refs == 0) };
			if
			:: zero -> LOCK(kick_lock); news_zero = 1; UNLOCK(kick_lock)
			:: else
			fi
		:: else -> break
		fi
	od;
#ifdef MISTAKE_SHELLS_BEFORE_FENCE
	vrb_wait_zero(RUNNING);
#endif
	if
	:: inflight[CLIENT] ->
		vrb_client_leave_held();
#ifndef MISTAKE_FENCE_BEFORE_GONE
		vrb_wait_zero(INFLIGHT)
#endif
	:: else
	fi;
	LOCK(lock);
	freed = 1;
	UNLOCK(lock);
	assert(request == 0 && told == 1);
	fenced = 1
}

/* ---- The pump ---- */

inline vrb_object_left()
{
	if
	:: client == CLIENT ->
		TOUCH(CLIENT);
		left_gone = gone_set;
#ifndef MISTAKE_GONE_CALLED_TWICE
		gone_set = 0;
#endif
#ifndef MISTAKE_LEFT_DESTROY_STAYS_CLIENTS
		client = OWN;
#endif
		inflight[OWN]++;
		if
		:: children ->
			held[OWN]++;
#ifndef MISTAKE_LEFT_DESTROY_STAYS_HELD
			held[CLIENT]--
#endif
		:: else
		fi;
		UNLOCK(lock);
		if
		:: left_gone -> assert(!freed); told++
		:: else
		fi;
		LOCK(lock);
		vrb_account(CLIENT)
	:: else
	fi
}

inline vrb_object_release()
{
	/* vrb_forget_news() */
	LOCK(kick_lock);
	news_left = 0;
	news_zero = 0;
	UNLOCK(kick_lock);
	left_gone = gone_set;
	c = client;
#ifdef MISTAKE_ACCOUNTED_BEFORE_GONE
	LOCK(lock);
	vrb_account(c);
	UNLOCK(lock);
#endif
	if
	:: left_gone -> assert(!freed); told++; assert(told == 1)
	:: else
	fi;
#ifndef MISTAKE_ACCOUNTED_BEFORE_GONE
	LOCK(lock);
	vrb_account(c);
	UNLOCK(lock)
#endif
}

proctype pump()
{
	bit left_gone;
	byte c;

end:
	do
	:: state == INBOX ->			/* vrb_accept_inbox() */
		LOCK(lock);
		state = QUEUED;
		vrb_destroy_begin();
		UNLOCK(lock)
	:: news_left || news_zero ->		/* vrb_object_news() */
		LOCK(lock);
		LOCK(kick_lock);
		left_gone = news_left;
		c = news_zero;
		news_left = 0;
		news_zero = 0;
		UNLOCK(kick_lock);
		if
		:: left_gone -> vrb_object_left()
		:: else
		fi;
		if
		:: c == 1 -> assert(dying && !runnable); runnable = 1
		:: else
		fi;
		c = 0;
		UNLOCK(lock)
	:: runnable ->				/* its commands, and their end */
		LOCK(lock);
		assert(!refs && !children && state == QUEUED);
		runnable = 0;
		state = RELEASED;
		UNLOCK(lock);
		vrb_object_release()
	:: request == 1 ->			/* vrb_deliver_one() */
		assert(!freed);			/* the callback */
		if
		:: by_callback ->
			assert(state == IDLE);	/* the engine has not destroyed it */
			vrb_destroy_direct()
		:: else
		fi;
		LOCK(lock);
		request = 0;
#ifdef GROUP
		group = 0;
		idle_group = notify;
#endif
		vrb_account(CLIENT);
		UNLOCK(lock)
#ifdef GROUP
	:: idle_group ->			/* vrb_tell_groups() */
		LOCK(lock);
		idle_group = 0;
		notify = 0;
		UNLOCK(lock);
		assert(!freed);			/* the callback */
		LOCK(lock);
		vrb_account(CLIENT);
		UNLOCK(lock)
#endif
	od
}

init {
	atomic {
		inflight[CLIENT] = 1;		/* the attach */
		run pump();
		run child();
		run attach();
		run vrb_client_unregister()
	};
	timeout ->
	assert(fenced && !lock && !kick_lock);
	assert(told == 1 && inflight[CLIENT] == 0 && held[CLIENT] == 0);
	/* The device knows that whatever is left behind waits for others. */
	assert(inflight[OWN] == held[OWN]);
	assert(state == RELEASED || (client == OWN && children))
}
