"""Which attributes of a DICOM object stay, and why each may: whatever is not listed here is removed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Attributes that stay for one reason.

    Attributes
    ----------
    reason : str
        Why they are needed and why they name nobody.
    keywords : tuple of str
        DICOM keywords; each is cleaned as its value representation asks (see `identity.values`).
    """

    reason: str
    keywords: tuple[str, ...]


def _kept(reason: str, keywords: str) -> Kept:
    return Kept(reason=reason, keywords=tuple(keywords.split()))


ALLOWED: tuple[Kept, ...] = (
    _kept(
        "UIDs, replaced by keyed ones, tie slices, series and references together",
        """SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID
        SynchronizationFrameOfReferenceUID ReferencedSOPInstanceUID ConcatenationUID
        SOPInstanceUIDOfConcatenationSource DimensionOrganizationUID""",
    ),
    _kept(
        "kinds of object, registered by the standard; others are not kept",
        "SOPClassUID ReferencedSOPClassUID",
    ),
    _kept(
        "dates, shifted once per patient: order and intervals of visits",
        """StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime FrameAcquisitionDateTime
        FrameReferenceDateTime DecayCorrectionDateTime RadiopharmaceuticalStartDateTime
        RadiopharmaceuticalStopDateTime""",
    ),
    _kept(
        "times of day that the physics needs: decay of tracers, order of dynamics; the date beside them is shifted",
        """SeriesTime AcquisitionTime ContentTime RadiopharmaceuticalStartTime RadiopharmaceuticalStopTime""",
    ),
    _kept(
        "physical characteristics: uptake values need weight and size, norms age and sex; from 90 on age is 90",
        "PatientSex PatientAge PatientWeight PatientSize",
    ),
    _kept(
        "who made the scanner and its model, in words of a fixed list: how values are scaled differs",
        "Manufacturer ManufacturerModelName SoftwareVersions",
    ),
    _kept(
        "texts that tell the contrast, of which only words of a fixed list stay",
        """SeriesDescription ProtocolName SequenceName PulseSequenceName ImageComments ContrastBolusAgent
        WindowCenterWidthExplanation LUTExplanation SegmentLabel PositionReferenceIndicator StackID""",
    ),
    _kept(
        "what the picture is: defined terms only",
        """Modality ImageType FrameType BodyPartExamined Laterality ImageLaterality PatientPosition
        BurnedInAnnotation RecognizableVisualFeatures QualityControlImage PixelPresentation
        VolumetricProperties ConversionType VolumeBasedCalculationTechnique ComplexImageComponent
        AcquisitionContrast ContentQualification SegmentationType SegmentationFractionalType
        SegmentAlgorithmType SegmentsOverlap""",
    ),
    _kept(
        "place and order of slices: numbers",
        """InstanceNumber SeriesNumber AcquisitionNumber NumberOfFrames Rows Columns ImagePositionPatient
        ImageOrientationPatient PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing SliceThickness
        SpacingBetweenSlices SliceLocation TemporalPositionIdentifier TemporalPositionIndex
        NumberOfTemporalPositions TemporalPositionTimeOffset TemporalResolution ImagesInAcquisition
        InStackPositionNumber FrameAcquisitionNumber FrameAcquisitionDuration GantryDetectorTilt TableHeight
        TablePosition ReconstructionDiameter DataCollectionDiameter FieldOfViewDimensions
        FrameIncrementPointer FrameTime PixelAspectRatio DimensionIndexValues DimensionIndexPointer
        FunctionalGroupPointer NumberOfSlices NumberOfTimeSlices ImageIndex SegmentNumber
        ReferencedSegmentNumber MaximumFractionalValue ReferencedFrameNumber InConcatenationNumber
        InConcatenationTotalNumber ConcatenationFrameOffsetNumber""",
    ),
    _kept(
        "layout of the pixels and what turns stored numbers into values",
        """SamplesPerPixel PhotometricInterpretation PlanarConfiguration BitsAllocated BitsStored HighBit
        PixelRepresentation SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue
        PixelPaddingRangeLimit RescaleSlope RescaleIntercept RescaleType WindowCenter WindowWidth
        VOILUTFunction LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod
        LUTDescriptor LUTData ModalityLUTType RealWorldValueIntercept RealWorldValueSlope
        RealWorldValueFirstValueMapped RealWorldValueLastValueMapped DoubleFloatRealWorldValueFirstValueMapped
        DoubleFloatRealWorldValueLastValueMapped""",
    ),
    _kept(
        "how an MR picture was made: numbers and defined terms",
        """EchoTime EffectiveEchoTime RepetitionTime InversionTime InversionTimes FlipAngle MagneticFieldStrength
        ImagingFrequency ImagedNucleus ResonantNucleus TransmitterFrequency EchoNumbers EchoTrainLength
        RFEchoTrainLength GradientEchoTrainLength NumberOfAverages PixelBandwidth SAR dBdt PercentSampling
        PercentPhaseFieldOfView NumberOfPhaseEncodingSteps MRAcquisitionFrequencyEncodingSteps
        MRAcquisitionPhaseEncodingStepsInPlane MRAcquisitionPhaseEncodingStepsOutOfPlane AcquisitionMatrix
        InPlanePhaseEncodingDirection VariableFlipAngleFlag ScanningSequence SequenceVariant ScanOptions
        MRAcquisitionType AngioFlag TriggerTime NominalInterval CardiacNumberOfImages TriggerWindow
        NominalCardiacTriggerDelayTime EchoPulseSequence MultiPlanarExcitation SteadyStatePulseSequence
        SpectrallySelectedExcitation SpectrallySelectedSuppression Spoiling InversionRecovery FlowCompensation
        FlowCompensationDirection MagnetizationTransfer T2Preparation BloodSignalNulling SaturationRecovery
        Tagging OversamplingPhase PhaseContrast TimeOfFlightContrast GeometryOfKSpaceTraversal
        SegmentedKSpaceTraversal RectilinearPhaseEncodeReordering CoverageOfKSpace NumberOfKSpaceTrajectories
        PartialFourier PartialFourierDirection ParallelAcquisition ParallelAcquisitionTechnique
        ParallelReductionFactorInPlane ParallelReductionFactorOutOfPlane ParallelReductionFactorSecondInPlane
        AcquisitionDuration SliceProgressionDirection ReceiveCoilName TransmitCoilName ReceiveCoilType
        TransmitCoilType QuadratureReceiveCoil DiffusionBValue DiffusionGradientOrientation
        DiffusionDirectionality DiffusionAnisotropyType DiffusionBValueXX DiffusionBValueXY DiffusionBValueXZ
        DiffusionBValueYY DiffusionBValueYZ DiffusionBValueZZ VelocityEncodingDirection
        VelocityEncodingMinimumValue VelocityEncodingMaximumValue BulkMotionCompensationTechnique
        KSpaceFiltering WaterReferencedPhaseCorrection B1rms IsocenterPosition""",
    ),
    _kept(
        "how a CT picture was made: numbers and defined terms",
        """KVP XRayTubeCurrent XRayTubeCurrentInmA Exposure ExposureTime ExposureTimeInms ExposureInmAs
        ExposureInuAs ExposureTimeInuS XRayTubeCurrentInuA ConvolutionKernel ConvolutionKernelGroup FilterType
        FilterMaterial FocalSpots DistanceSourceToDetector DistanceSourceToPatient
        DistanceSourceToDataCollectionCenter ReconstructionFieldOfView ReconstructionPixelSpacing
        ReconstructionAngle ReconstructionAlgorithm ImageFilter DataCollectionCenterPatient
        ReconstructionTargetCenterPatient SpiralPitchFactor TableSpeed TableFeedPerRotation
        SingleCollimationWidth TotalCollimationWidth CTDIvol RevolutionTime RotationDirection GeneratorPower
        ExposureModulationType EstimatedDoseSaving AcquisitionType TubeAngle ConstantVolumeFlag
        FluoroscopyFlag CalciumScoringMassFactorPatient CalciumScoringMassFactorDevice""",
    ),
    _kept(
        "how a PET picture was made: tracer, decay, corrections",
        """Units SUVType DecayCorrection DecayFactor CorrectedImage FrameReferenceTime ActualFrameDuration
        SeriesType CountsSource CountsIncluded CountsAccumulated RandomsCorrectionMethod
        AttenuationCorrectionMethod ReconstructionMethod ScatterCorrectionMethod DoseCalibrationFactor
        ScatterFractionFactor DeadTimeFactor SliceSensitivityFactor PrimaryPromptsCountsAccumulated
        AxialAcceptance AxialMash TransverseMash CollimatorType Radiopharmaceutical RadiopharmaceuticalVolume
        RadiopharmaceuticalSpecificActivity RadionuclideTotalDose RadionuclideHalfLife
        RadionuclidePositronFraction EnergyWindowLowerLimit EnergyWindowUpperLimit DecayCorrected
        AttenuationCorrected ScatterCorrected DeadTimeCorrected RandomsCorrected
        NonUniformRadialSamplingCorrected SensitivityCalibrated DetectorNormalizationCorrection
        GantryMotionCorrected PatientMotionCorrected IterativeReconstructionMethod NumberOfIterations
        NumberOfSubsets TimeOfFlightInformationUsed ReconstructionType""",
    ),
    _kept(
        "contrast agent: amounts",
        """ContrastBolusVolume ContrastBolusTotalDose ContrastBolusIngredientConcentration
        ContrastBolusIngredient ContrastBolusAgentAdministered ContrastBolusAgentDetected
        ContrastBolusAgentPhase""",
    ),
    _kept(
        "sequences that hold what is listed above; every item is cleaned in the same way",
        """SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence
        PlanePositionSequence PlaneOrientationSequence FrameContentSequence PixelValueTransformationSequence
        FrameVOILUTSequence MREchoSequence MRModifierSequence MRTimingAndRelatedParametersSequence
        MRFOVGeometrySequence MRImagingModifierSequence MRReceiveCoilSequence MRTransmitCoilSequence
        MRDiffusionSequence DiffusionGradientDirectionSequence DiffusionBMatrixSequence MRAveragesSequence
        MRVelocityEncodingSequence MRImageFrameTypeSequence CTImageFrameTypeSequence PETFrameTypeSequence
        CardiacSynchronizationSequence TemporalPositionSequence CTAcquisitionTypeSequence
        CTAcquisitionDetailsSequence CTTableDynamicsSequence CTPositionSequence CTGeometrySequence
        CTReconstructionSequence CTExposureSequence CTXRayDetailsSequence
        RadiopharmaceuticalInformationSequence RadiopharmaceuticalUsageSequence PETReconstructionSequence
        PETPositionSequence PETTableDynamicsSequence PETFrameAcquisitionSequence
        PETFrameCorrectionFactorsSequence EnergyWindowInformationSequence EnergyWindowRangeSequence
        RealWorldValueMappingSequence ModalityLUTSequence DimensionOrganizationSequence DimensionIndexSequence
        SegmentSequence SegmentIdentificationSequence DerivationImageSequence SourceImageSequence
        ReferencedImageSequence ReferencedSeriesSequence ReferencedInstanceSequence""",
    ),
    _kept(
        "codes that the dictionaries of the standard have; their meaning is written anew from there",
        """MeasurementUnitsCodeSequence RadionuclideCodeSequence RadiopharmaceuticalCodeSequence
        AnatomicRegionSequence SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence""",
    ),
)
"""The allow-list. PixelData, FloatPixelData and DoubleFloatPixelData are treated by `identity.pixels`."""

REASON_OF: dict[str, str] = {keyword: kept.reason for kept in ALLOWED for keyword in kept.keywords}
"""Why each attribute stays."""
CODES = frozenset(ALLOWED[-1].keywords)
"""Sequences of coded items."""
