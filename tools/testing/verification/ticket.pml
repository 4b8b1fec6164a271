/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The ticket of a callback against free and resubmit. Names are those of vrb_carrier.c, vrb_pump.c
 * and vrb_request.c.
 *
 * Small: -DRESUBMITS=2 -DSUBMITTERS=1
 * Small: -DRESUBMITS=2 -DSUBMITTERS=1 -DFREES
 * Large: -DRESUBMITS=2 -DSUBMITTERS=2
 * Large: -DRESUBMITS=2 -DSUBMITTERS=2 -DCANCELS=2
 * Mistakes: -DRESUBMITS=1 -DSUBMITTERS=2
 *
 * Two requests, which complete one after the other. Two contexts submit the first, and its callback
 * may submit it again; another context cancels it. Others cannot submit a request while its
 * callback runs, and it cannot be submitted twice at a time. It is not refused when it is idle.
 * vrb_cancel() returns -ENOENT only if the request was idle during the call. With FREES its
 * callback frees the request, and the engine does not access it afterwards.
 *
 * Assumed: the memory of the ticket is seen in order. running is written before the state, which is
 * a release, and read after it, which is an acquire. running is cleared by a release after the
 * callback. For each of these there is a mistake that leaves it out. Everything else is decided
 * under a lock or by the cmpxchg of the claim. Here a number tells whether the caller is the
 * callback. A hard interrupt on top of the softirq and a second device are not modelled. The step
 * from accepted to over is atomic here: see inbox.pml.
 */
#ifndef CANCELS
#define CANCELS	1
#endif
#define REQUESTS	2

#define IDLE		0
#define CLAIMED		1
#define QUEUED		2
#define DONE		3
#define CALLBACK	7		/* and a ticket above it */
#define STATE_BITS	3
#define STATE_MASK	7
#define NOBODY		0
#define PUMP		1		/* the task on top of which the callback runs */
#define OTHER		2

bit lock;
byte state[REQUESTS];
byte running;			/* vrb_carrier */
byte task;
byte tickets;
chan queue = [REQUESTS] of { byte };
chan done = [REQUESTS] of { byte };

/* State of the model that the engine does not have */
byte accepted[REQUESTS], returned[REQUESTS];
byte in_callback = REQUESTS;	/* the request whose callback runs */
bit freed;			/* the first request */
bit was_idle;			/* the first request, since vrb_cancel() began */
byte resubmits;
byte cancels;

#define LOCK(l)		atomic { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0

#define TOUCH(r)	assert(r != 0 || !freed)

/* vrb_word_idle() */
inline vrb_word_idle(word, idle)
{
	if
	:: word == IDLE -> idle = 1
	:: (word & STATE_MASK) == CALLBACK ->
#ifdef MISTAKE_RUNNING_READ_FIRST
		idle = (before != word)
#else
#ifdef MISTAKE_CALLBACK_NEVER_MEANS_IDLE
		idle = 0
#else
		idle = (running != word)
#endif
#endif
	:: else -> idle = 0
	fi
}

inline read_state(r)
{
	TOUCH(r);
#ifdef MISTAKE_RUNNING_READ_FIRST
	before = running;
#endif
	word = state[r]
}

/* vrb_claim(); @me: the calling context */
inline vrb_claim(r, me, ok)
{
	read_state(r);
	vrb_word_idle(word, ok);
	if
	/* vrb_word_mine() */
	:: !ok && (word & STATE_MASK) == CALLBACK && task == me -> ok = 1
	:: else
	fi;
	if
	:: ok ->
		atomic {
			if
			:: state[r] == word ->
				/* Its callback does not run, or it is the one that submits. */
				assert(in_callback != r || me == PUMP);
				assert(accepted[r] == returned[r] + (in_callback == r));
				state[r] = CLAIMED
			:: else -> ok = 0
			fi
		}
	:: else
	fi
}

inline vrb_accept(r)
{
	LOCK(lock);
	atomic { accepted[r]++; state[r] = QUEUED };
	queue ! r;
	UNLOCK(lock)
}

inline vrb_submit(r, me, ok)
{
	vrb_claim(r, me, ok);
	if
	:: ok -> vrb_accept(r)
	:: else
	fi
}

/* The callback; it may submit its request again, or free it. */
inline vrb_call(r)
{
#ifdef MISTAKE_RUNNING_CLEARED_EARLY
	task = NOBODY;
	running = 0;
#endif
	if
	:: resubmits < RESUBMITS && r == 0 && !freed ->
		resubmits++;
		vrb_submit(r, PUMP, ok);
#ifndef MISTAKE_RUNNING_CLEARED_EARLY
		assert(ok)
#endif
#ifdef FREES
	:: r == 0 -> freed = 1
#endif
	:: true
	fi;
	atomic { in_callback = REQUESTS; returned[r]++; was_idle = was_idle ||
		 (r == 0 && accepted[0] == returned[0]) };
#ifndef MISTAKE_RUNNING_CLEARED_EARLY
	task = NOBODY;
	running = 0;
#endif
}

inline vrb_deliver_one(r)
{
	TOUCH(r);
	assert(state[r] == DONE);
#ifdef MISTAKE_TICKET_NEVER_CHANGES
	tickets = 1;
#else
	tickets++;
#endif
	ticket = tickets << STATE_BITS | CALLBACK;
	task = PUMP;
	in_callback = r;
#ifdef MISTAKE_STATE_WITHOUT_RELEASE
	if
	:: running = ticket; state[r] = ticket
	:: state[r] = ticket; running = ticket
	fi;
#else
	running = ticket;
	state[r] = ticket;
#endif
	UNLOCK(lock);
	vrb_call(r);
	LOCK(lock);
#ifdef MISTAKE_IDLE_SET_AFTER_CALLBACK
	TOUCH(r);
	state[r] = IDLE;
#endif
}

proctype pump()
{
	byte r, word, ticket;
	bit ok;
#ifdef MISTAKE_RUNNING_READ_FIRST
	byte before;
#endif

end:
	do
	:: len(queue) > 0 ->
		LOCK(lock);
		if
		:: len(queue) > 0 ->
			queue ? r;
			TOUCH(r);
			assert(state[r] == QUEUED);
			state[r] = DONE;
			done ! r
		:: else
		fi;
		UNLOCK(lock)
	:: len(done) > 0 ->
		LOCK(lock);
		done ? r;
		vrb_deliver_one(r);
		UNLOCK(lock)
	od
}

proctype submit(byte r)
{
	byte word;
	bit ok;
#ifdef MISTAKE_RUNNING_READ_FIRST
	byte before;
#endif

	vrb_submit(r, OTHER, ok)
}

#ifndef FREES
/* vrb_look() and vrb_cancel_locked() */
proctype cancel()
{
	byte word;
	bit idle;
#ifdef MISTAKE_RUNNING_READ_FIRST
	byte before;
#endif

	atomic {
		cancels == 0 -> cancels = 1;
		was_idle = (accepted[0] == returned[0])
	};
	do
	:: read_state(0);
	   vrb_word_idle(word, idle);
	   if
	   :: !idle -> break
#ifdef MISTAKE_STATE_READ_ONCE
	   :: idle -> break
#else
	   :: idle && state[0] == word -> break
	   :: idle && state[0] != word
#endif
	   fi
	od;
	if
	:: idle -> assert(was_idle)		/* -ENOENT */
	:: !idle && word != CLAIMED ->
		LOCK(lock);
		read_state(0);
		vrb_word_idle(word, idle);
		if
		:: idle -> assert(was_idle)	/* -ENOENT */
		:: !idle && word == QUEUED ->
			assert(state[0] == QUEUED);
			queue ?? 0;
			state[0] = DONE;
			done ! 0
		:: else
		fi;
		UNLOCK(lock)
	:: else
	fi;
	cancels = 0
}
#endif

init {
	byte n, word;
	bit ok;
#ifdef MISTAKE_RUNNING_READ_FIRST
	byte before;
#endif

	atomic {
		run pump();
		run submit(1);
#ifdef FREES
		run submit(0)
#else
		do
		:: n < SUBMITTERS -> run submit(0); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < CANCELS -> run cancel(); n++
		:: else -> break
		od
#endif
	};
	timeout ->
	assert(len(queue) == 0 && len(done) == 0);
	assert(accepted[0] == returned[0] && accepted[1] == returned[1]);
	assert(!running && !lock && in_callback == REQUESTS);
	/* An idle request can always be submitted again. */
	if
	:: !freed -> vrb_claim(0, OTHER, ok); assert(ok)
	:: else
	fi
}
