"""The ten findings that matter most, chosen by what rests on them: a sentence each on paper, truth and consequence.

The choice is ours; outcome, form and place are those of the statement that is named.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Foremost:
    """One of the ten, each part a sentence.

    Attributes:
        name: the statement that shows it.
        says: what the paper says.
        true: what is true.
        matters: what follows.
    """

    name: str
    says: str
    true: str
    matters: str


FOREMOST = (
    Foremost(
        "luckmatters.theorem5.fan_outs.reading",
        says="Only W_u has to start near W*; there is no requirement for small ‖V_r‖.",
        true="From W_u = W*, V_u = V* and all nodes orthogonal, two irrelevant nodes with opposite "
        "fan-outs longer than 0.911 ‖v*‖ merge and keep them, and nearer pairs do so from about half "
        "their angle on.",
        matters="V_r → 0, on which the remarks on flat minima and pruning rest, needs a bound on the "
        "irrelevant fan-outs; conditions (41) and (42) contain one, but are met practically nowhere.",
    ),
    Foremost(
        "luckmatters.theorem4.vacuity.sharp",
        says="If γ = cos θ₀ − (m−1) ε_d M_d > 0, every student converges to its teacher.",
        true="Under isotropic input without biases γ ≤ −0.30 for any three or more teachers, so the "
        "condition is never met.",
        matters="For three or more nodes the theorem speaks only where biases make activations rare; that all "
        "m students converge from near enough needs another proof, which `luckmatters.theorem4.basin` "
        "has.",
    ),
    Foremost(
        "luckmatters.theorem5.printed",
        says="Under (41) and (42) W_u, V_u and V_r converge at the rate 1 − ηλ̄γ.",
        true="Of 150 ordinary starts that meet the conditions 149 break that rate, and without biases the "
        "conditions are met by one teacher and one irrelevant node with fan-outs of a few thousandths "
        "alone.",
        matters="The induction fails; a comparison system (`luckmatters.theorem5.corrected`) and a basin "
        "about the solution (`luckmatters.theorem5.local`) have rates that hold, under conditions of "
        "their own.",
    ),
    Foremost(
        "luckmatters.theorem2.deep.necessity",
        says="Where expectations separate (Assumption 1), Eqn 6 is the gradient dynamics of a deep ReLU "
        "network.",
        true="They do not separate by themselves: with three to five weight matrices at random "
        "initialisation 0.60 to 0.78 of the first layer's gradient is missing from Eqn 6 even after "
        "the projection.",
        matters="What follows from Eqn 6 is about real gradients in two layers with isotropic input, where "
        "the projection removes the gap, and at the top layer.",
    ),
    Foremost(
        "luckmatters.theorem4.printed",
        says="sin θ_j falls at the rate d̄γ with d̄ = [1 + 2K_d sin(θ₀/2)] min_j d*_jj(0).",
        true="That d̄ exceeds d*_jj itself: for one teacher at θ₀ = 1 the claimed rate is 0.270 and the "
        "decay at the start 0.184.",
        matters="Recovery at an exponential rate survives, with the infimum of d*_jj over the balls in place "
        "of d̄.",
    ),
    Foremost(
        "luckmatters.theorem5.networks.bound.bias.necessity",
        says="Theorems 4 and 5 are about the flow in which d_jk E[x xᵀ] stands for E[f'_j f'_k x xᵀ].",
        true="With a bias in the input networks leave that flow: where its certificate has sin θ fall from "
        "0.001, networks with a fan-out 5 % off turn to five times as much.",
        matters="Biases are what lets the conditions of both theorems be met with many nodes, and just there "
        "the theorems speak of the flow and not of networks.",
    ),
    Foremost(
        "luckmatters.theorem5.random_initialisation.overlap.reading",
        says="Random initialisation often gives orthogonal weights, which naturally leads to small "
        "overlaps (Assumption 3).",
        true="Orthogonal nodes without biases overlap in half of their mass, ε_d = ½ and ε_l = 1/π, in "
        "every dimension.",
        matters="Small overlaps take negative biases, not random directions.",
    ),
    Foremost(
        "specialization.theorem2.corrected",
        says="At an SGD critical point an observed teacher has a student aligned with it; what alignment "
        "asks of the sign is lost in the text at hand.",
        true="With directions of either sign it holds, and with a constant: without such a student some "
        "gradient is at least η |α| ‖w*‖ / 4; with the same sign alone it fails, since σ(t) − σ(−t) = "
        "t.",
        matters="Specialization in the lowest layer stands, up to the sign of a direction and on an open "
        "region of inputs.",
    ),
    Foremost(
        "specialization.theorem3.observers.necessity",
        says="An unaligned student that C independent observers see has no fan-out.",
        true="The observers are needed unless an output bias is trained, and n students cannot supply C of "
        "them where C > n − 1: with 50 outputs not before the 51st student.",
        matters="For ten teacher nodes and 50 outputs students of one, two or five times as many nodes are "
        "outside the theorem; with a trained output bias its conclusion needs no observers.",
    ),
    Foremost(
        "luckmatters.theorem1.printed",
        says="The gradient at every hidden node is a difference of teacher's and student's activations of "
        "the same layer, with coefficients defined from the top down.",
        true="It is an identity for every sample, depth and width, met to rounding by automatic "
        "differentiation.",
        matters="This is the ground of both papers, and it is firm: what fails above fails in later steps.",
    ),
)
"""In the order in which they matter."""
