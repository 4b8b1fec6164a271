/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The last put against lookup. Names are those of vrb_object.c, vrb_carrier.c, vrb_group.c and
 * vrb_pump.c.
 *
 * Small: -DREADERS=1
 * Small: -DREADERS=2 -DNO_FAILURE
 * Large: -DREADERS=2
 * Mistakes: -DREADERS=1
 *
 * One object, which its owner destroys. Meanwhile others find it in the provider's table, use it,
 * report an event to the pump, and put it. A child of it is released. The hardware may refuse its
 * destroy once, and the device may fail. The object is destroyed once, and only when the last
 * reference is gone. Whoever has a reference finds a valid object, and nothing accesses it after it
 * is freed.
 *
 * Assumed: memory is sequentially consistent. Only refs decides without a lock: its operations are
 * atomic, a decrement is a release, and the one to zero an acquire. The check of dying is one step,
 * the increment another. An RCU grace period ends when all readers have left that were there at its
 * start. The pump runs without a kick: see pump.pml. An owner may drop an object that the hardware
 * has never known, which is not modelled.
 */
/* States of vrb_object.destroy */
#define IDLE		0
#define QUEUED		1
#define ISSUED		2
#define DONE		3
#define RELEASED	4

bit lock, kick_lock;
byte refs = 2;			/* of the owner and a child */
bit dying;
bit news_entry;			/* it is in the device's list */
bit news_zero, news_event;
byte state;			/* of the destroy */
bit runnable;			/* the destroy's entry */
bit failed;			/* VRB_DEV_FAILED */
bit sweep;
bit in_table = 1;

/* RCU */
bit reading[READERS], awaited[READERS];
bit call_rcu;

/* State of the model that the engine does not have */
bit begun;			/* its destroy has been issued to the hardware, or needs no command */
bit refused;			/* the hardware has refused once */
bit released, freed;
bit told;			/* vrb_destroy() has returned, and was not refused since */

#define LOCK(l)		atomic { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0
#define TOUCH		assert(!freed)

/* ---- References ---- */

/* vrb_tell() */
inline vrb_tell(news)
{
	LOCK(kick_lock);
	TOUCH;
	news = 1;
	news_entry = 1;
	UNLOCK(kick_lock)
}

inline refcount_dec_and_test(zero)
{
	atomic {
		TOUCH;
		assert(refs);
		refs--;
		zero = (refs == 0)
	}
}

inline vrb_object_put(zero)
{
	refcount_dec_and_test(zero);
	if
	:: zero -> vrb_tell(news_zero)
#ifdef MISTAKE_EVERY_PUT_TELLS_THE_PUMP
	:: !zero -> vrb_tell(news_event)
#else
	:: else
#endif
	fi
}

inline vrb_object_tryget(ok)
{
	TOUCH;
#ifdef MISTAKE_TRYGET_OF_DYING_OBJECT
	ok = 1;
#else
	ok = !dying;
#endif
	if
	:: ok ->
		atomic {
			TOUCH;
#ifdef MISTAKE_TRYGET_FROM_ZERO
			refs++
#else
			if
			:: refs -> refs++
			:: else -> ok = 0
			fi
#endif
		}
	:: else
	fi
}

/* ---- Device lock held ---- */

inline vrb_finish(status)
{
	assert(state == QUEUED || state == ISSUED);
	runnable = 0;
	state = DONE;
	if
	:: status ->			/* the hardware has refused */
#ifndef MISTAKE_REFUSED_WITHOUT_A_REFERENCE
		refs = 1;
#endif
		atomic { dying = 0; told = 0; refused = 1 }
	:: else
	fi
}

inline vrb_object_zero()
{
	assert(dying && state == QUEUED && !runnable);
	TOUCH;
	if
	:: failed -> begun = 1; vrb_finish(0)
	:: else -> runnable = 1		/* vrb_make_runnable() */
	fi
}

inline vrb_object_unref(zero)
{
	refcount_dec_and_test(zero);
	if
	:: zero -> vrb_object_zero()
	:: else
	fi
}

/* vrb_destroy(), vrb_destroy_begin() */
inline vrb_destroy(zero)
{
	LOCK(lock);
	TOUCH;
	assert(state == IDLE);
	state = QUEUED;
	dying = 1;
#ifdef MISTAKE_LAST_REFERENCE_ONLY_READ
	if
	:: refs == 1 -> refs = 0; vrb_object_zero()
	:: else -> vrb_object_unref(zero)
	fi;
#else
	vrb_object_unref(zero);
#endif
	told = 1;
	UNLOCK(lock)
}

/* ---- Who does what ---- */

proctype owner()
{
	bit zero;

	vrb_destroy(zero);
	/* If it is refused, its callback reports that, and the owner tries again. */
end:
	do
	:: atomic { state == IDLE && !lock && !freed && !released -> skip };
	   vrb_destroy(zero)
	od
}

/* An event: looks the object up by its number. */
proctype reader(byte me)
{
	bit ok, zero, late, was;

	reading[me] = 1;			/* rcu_read_lock() */
	if
	:: in_table ->
		/* Only a destroy that returned before this point must hide the object. */
		atomic { late = told; was = refused };
		vrb_object_tryget(ok)
	:: else
	fi;
	assert(!(ok && late && was == refused));
	atomic { reading[me] = 0; awaited[me] = 0 };
	if
	:: ok ->
		assert(!freed && !begun && !released);		/* uses it */
		if
		:: vrb_tell(news_event)				/* vrb_object_event() */
		:: true
		fi;
		vrb_object_put(zero)
	:: else
	fi
}

/* The release of a child: vrb_parents_put() */
proctype child()
{
	bit zero;

	LOCK(lock);
	assert(!freed && !begun);
	vrb_object_unref(zero);
	UNLOCK(lock)
}

#ifndef NO_FAILURE
proctype fail()
{
	LOCK(lock);
	failed = 1;
	sweep = 1;
	UNLOCK(lock)
}
#endif

/* ---- The pump ---- */

inline vrb_object_news(zero)
{
	LOCK(kick_lock);
	TOUCH;
	news_entry = 0;
	zero = news_zero;
	news_zero = 0;
	news_event = 0;
	UNLOCK(kick_lock);
	TOUCH;
	if
	:: zero -> vrb_object_zero()
	:: else
	fi
}

inline vrb_sweep()
{
	sweep = 0;
	if
#ifdef MISTAKE_FAILURE_ENDS_OBJECT_IN_USE
	:: failed && state == QUEUED -> begun = 1; vrb_finish(0)
#else
	:: failed && state == QUEUED && runnable -> begun = 1; vrb_finish(0)
#endif
	:: else
	fi
}

inline vrb_object_release()
{
#ifndef MISTAKE_NEWS_NOT_REMOVED
	/* vrb_forget_news() */
	LOCK(kick_lock);
	TOUCH;
	news_entry = 0;
	UNLOCK(kick_lock);
#endif
	assert(!released && !refs && begun);
	/* type->release() */
#ifdef MISTAKE_CALL_RCU_BEFORE_REMOVAL
	rcu();
	in_table = 0;
	released = 1
#else
	in_table = 0;
	released = 1;
	rcu()
#endif
}

inline rcu()
{
	atomic {
#ifdef MISTAKE_FREED_AT_ONCE
		freed = 1
#else
		call_rcu = 1;
		n = 0;
		do
		:: n < READERS -> awaited[n] = reading[n]; n++
		:: else -> break
		od
#endif
	}
}

inline awaited_readers(any)
{
	any = 0;
	n = 0;
	do
	:: n < READERS -> any = any || awaited[n]; n++
	:: else -> break
	od
}

proctype pump()
{
	bit zero, any;
	byte n;

end:
	do
	:: news_entry ->			/* vrb_take_in(), or there was no room for it */
		LOCK(lock);
		vrb_object_news(zero);
		UNLOCK(lock)
	:: sweep ->
		LOCK(lock);
		vrb_sweep();
		UNLOCK(lock)
	:: runnable && !failed ->		/* vrb_dispatch(), vrb_issue() */
		LOCK(lock);
		if
		:: runnable && !failed ->
			assert(!begun && !refs);
			runnable = 0;
			begun = 1;
			state = ISSUED
		:: else
		fi;
		UNLOCK(lock)
	:: state == ISSUED ->			/* its command is answered, or it is flushed */
		LOCK(lock);
		if
		:: !refused && !failed -> begun = 0; vrb_finish(1)
		:: vrb_finish(0)
		fi;
		UNLOCK(lock)
	:: state == DONE ->			/* vrb_deliver_one() */
		LOCK(lock);
		if
		:: dying -> state = RELEASED; UNLOCK(lock); vrb_object_release()
		:: else -> state = IDLE; UNLOCK(lock)
		fi
	od
}

/* vrb_object_free() */
proctype grace()
{
	byte n;
	bit any;

end:
	do
	:: atomic {
		call_rcu && !freed -> awaited_readers(any);
		if
		:: !any -> freed = 1
		:: else
		fi
	   }
	od
}

init {
	byte n;

	atomic {
		run pump();
		run grace();
		run owner();
		run child();
#ifndef NO_FAILURE
		run fail();
#endif
		do
		:: n < READERS -> run reader(n); n++
		:: else -> break
		od
	};
	timeout ->
	assert(released && freed && !refs && !lock && !kick_lock)
}
