/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The hand-over of the pump: kick, run, re-arm, complete. Names are those of vrb_carrier.c,
 * vrb_pump.c and vrb_time.c.
 *
 * Small: -DSUBMITS=1 -DEVENTS=2
 * Small: -DSUBMITS=1 -DEVENTS=1 -DPOSTED
 * Large: -DSUBMITS=2 -DEVENTS=3
 * Large: -DSUBMITS=2 -DEVENTS=3 -DPOSTED
 * Mistakes: -DSUBMITS=1 -DEVENTS=2
 * MISTAKE_INBOX_NOT_CHECKED: -DSUBMITS=2 -DEVENTS=0
 *
 * Whatever arrives through the inbox, as news, under the device lock, or as an entry of the command
 * event queue is processed without another kick. When nothing happens any more, the interrupt is
 * armed. Of two softirqs only one runs the pump at a time.
 *
 * Assumed: memory is sequentially consistent. The variables that decide here are accessed under
 * kick_lock or lock, and the bit of irq_poll by atomic operations that are full barriers. Arming is
 * a posted write. With POSTED it takes effect at any later time, and fires for entries that are
 * already there, as vrb_provider_ops.rearm must. Without POSTED it takes effect at once, and does
 * not fire for those: the engine would also work with such a device. There is no timer, which could
 * hide a lost kick.
 */
#ifndef SUBMITS
#define SUBMITS	2
#endif
#ifndef EVENTS
#define EVENTS	2
#endif
#define BUDGET	1		/* VRB_BUDGET: per kind of work in a run */
#define NOWHERE	2		/* no CPU */

bit lock, kick_lock;		/* vrb_device */
bit kicked, interrupted, in_run, news;
byte inbox;
byte nr_events;			/* reaped, not looked at yet */
byte queue;			/* runnable work, queued under the device lock */
byte done;			/* callbacks to be called */

bit sched;			/* IRQ_POLL_F_SCHED */
byte list = NOWHERE;		/* the CPU whose list has the irq_poll */
byte running;			/* runs that have not given up yet */

byte eq;			/* entries that are written and not reaped */
bit armed = 1, arm_posted, irq;

#define LOCK(l)		atomic { l == 0 -> l = 1 }
#define UNLOCK(l)	l = 0

/* irq_poll_sched(), on the CPU of the caller */
inline irq_poll_sched(cpu)
{
	atomic {
		if
		:: !sched -> sched = 1; list = cpu
		:: else
		fi
	}
}

inline vrb_sched(cpu)
{
	kicked = 1;
	irq_poll_sched(cpu)
}

#ifdef MISTAKE_KICK_WITHOUT_LOCK
#define KICK_LOCK	skip
#define KICK_UNLOCK	skip
#else
#define KICK_LOCK	LOCK(kick_lock)
#define KICK_UNLOCK	UNLOCK(kick_lock)
#endif

inline vrb_kick(cpu)
{
	KICK_LOCK;
	vrb_sched(cpu);
	KICK_UNLOCK
}

/* An interrupt: vrb_device_kick() */
proctype interrupt(byte cpu)
{
end:
	do
	:: atomic { irq -> irq = 0 };
	   LOCK(kick_lock);
	   interrupted = 1;
	   vrb_sched(cpu);
	   UNLOCK(kick_lock)
	od
}

/* The hardware completes commands, and takes posted writes. */
proctype hardware()
{
	byte n;

end:
	do
	:: atomic {
		n < EVENTS ->
		n++;
		eq++;
		if
		:: armed -> armed = 0; irq = 1
		:: else
		fi
	   }
	:: atomic {
		arm_posted ->
		arm_posted = 0;
		if
		:: eq -> irq = 1
		:: else -> armed = 1
		fi
	   }
	od
}

/* vrb_submit_inbox() */
proctype submit(byte cpu)
{
	LOCK(kick_lock);
	inbox++;
	UNLOCK(kick_lock);
	vrb_kick(cpu)
}

/* vrb_tell() */
proctype tell(byte cpu)
{
	LOCK(kick_lock);
	news = 1;
	vrb_sched(cpu);
	UNLOCK(kick_lock)
}

/* A caller queues work under the device lock, and releases it by vrb_unlock(). */
proctype direct(byte cpu)
{
	LOCK(lock);
	queue++;
	if
	:: !in_run -> vrb_kick(cpu)
	:: else
	fi;
	UNLOCK(lock)
}

/* Reaps entries of the event queue, as long as there is room for them. */
inline vrb_reap(found)
{
	atomic {
		found = 0;
		if
		:: eq && nr_events < BUDGET -> eq--; nr_events++; found = 1
		:: else
		fi
	}
}

inline rearm()
{
	atomic {
#ifdef POSTED
		arm_posted = 1
#else
		armed = 1
#endif
	}
}

inline vrb_progress()
{
	LOCK(lock);
	in_run = 1;
	UNLOCK(lock);
	if
	:: nr_events -> LOCK(lock); done = done + nr_events; nr_events = 0; UNLOCK(lock)
	:: else
	fi;
	LOCK(lock);
	if
	:: inbox -> LOCK(kick_lock); inbox--; UNLOCK(kick_lock); queue++
	:: else
	fi;
	if
	:: news -> LOCK(kick_lock); news = 0; UNLOCK(kick_lock)
	:: else
	fi;
	if
	:: queue -> queue--
	:: else
	fi;
	UNLOCK(lock)
}

inline vrb_deliver()
{
	LOCK(lock);
	if
	:: done -> done--; UNLOCK(lock); LOCK(lock)	/* the callback */
	:: else
	fi;
	UNLOCK(lock)
}

inline vrb_run()
{
	vrb_reap(found);
	vrb_progress();
	vrb_deliver();
	if
#ifdef MISTAKE_REARM_ONLY_IF_FOUND
	:: found ->
#else
	:: found || was ->
#endif
		rearm();
#ifndef MISTAKE_NO_SECOND_REAP
		vrb_reap(found)
#endif
	:: else
	fi;
	LOCK(lock);
#ifndef MISTAKE_IN_RUN_CLEARED_LATE
	in_run = 0;
#endif
	more = nr_events || queue || done;
#ifndef MISTAKE_INBOX_NOT_CHECKED
	more = more || inbox;
#endif
	more = more || news;
	UNLOCK(lock);
#ifdef MISTAKE_IN_RUN_CLEARED_LATE
	LOCK(lock);
	in_run = 0;
	UNLOCK(lock);
#endif
}

/* irq_poll_complete() */
inline complete()
{
	atomic {
		running--;
		list = NOWHERE;
		sched = 0
	}
}

inline vrb_carry()
{
	atomic { running++; assert(running == 1) };
#ifdef MISTAKE_COMPLETE_BEFORE_RUN
	LOCK(kick_lock);
	list = NOWHERE;
	sched = 0;
	UNLOCK(kick_lock);
#endif
	LOCK(kick_lock);
#ifndef MISTAKE_KICKED_CLEARED_AFTER
	kicked = 0;
#endif
	was = interrupted;
#ifndef MISTAKE_INTERRUPTED_CLEARED_AFTER
	interrupted = 0;
#endif
	UNLOCK(kick_lock);

	vrb_run();

	LOCK(kick_lock);
#ifdef MISTAKE_INTERRUPTED_CLEARED_AFTER
	interrupted = 0;
#endif
#ifdef MISTAKE_KICKED_CLEARED_AFTER
	kicked = 0;
#endif
#ifndef MISTAKE_KICKED_NOT_CHECKED
	more = more || kicked;
#endif
#ifdef MISTAKE_COMPLETE_WITHOUT_LOCK
	UNLOCK(kick_lock);
#endif
	if
#ifdef MISTAKE_COMPLETE_BEFORE_RUN
	:: !more -> running--
	:: more -> running--; irq_poll_sched(cpu)
#else
	:: !more -> complete()
	:: more -> running--	/* it stays on its CPU's list */
#endif
	fi;
#ifndef MISTAKE_COMPLETE_WITHOUT_LOCK
	UNLOCK(kick_lock)
#endif
}

/* irq_poll_softirq() */
proctype softirq(byte cpu)
{
	bit found, was, more;

end:
	do
	:: list == cpu -> vrb_carry()
	od
}

init {
	byte n;

	atomic {
		run softirq(0);
		run softirq(1);
		run interrupt(0);
		run hardware();
		run tell(1);
		run direct(1);
		do
		:: n < SUBMITS -> run submit(n & 1); n++
		:: else -> break
		od
	};
	/* No process can continue. */
	timeout ->
	assert(!inbox && !news && !queue && !done && !nr_events && !eq);
	assert(armed && !irq && !arm_posted);
	assert(!sched && !running && !in_run && !lock && !kick_lock)
}
